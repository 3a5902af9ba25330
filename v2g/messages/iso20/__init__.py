"""The messages of ISO 15118-20:2022 and its Amendment 1: what all share, and a module per kind of energy transfer."""
