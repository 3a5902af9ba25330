"""Contracts delivered to vehicles: made by the provisioning service (CPS), checked and opened by the vehicle."""
