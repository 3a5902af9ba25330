"""The messages of ISO 15118-20:2022: the types that all share, and one module per kind of energy transfer."""
