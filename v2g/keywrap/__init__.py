"""Delivery of a contract's private key: wrap it for one vehicle, unwrap and prove it; a module for each edition."""
