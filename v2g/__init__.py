"""What a vehicle and a charging station both speak: ISO 15118-2 over V2GTP, EXI and TLS."""

__version__ = "0.1.0"
