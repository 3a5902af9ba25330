"""Vehicles that get TLS wrong on purpose, and how a station has to take it."""
