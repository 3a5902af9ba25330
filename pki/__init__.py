"""The public key infrastructure both sides trust: issue, validate, export."""
