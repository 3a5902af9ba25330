"""The vehicle's side: an EVCC emulator for laboratories."""
