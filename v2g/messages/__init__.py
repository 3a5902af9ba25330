"""The messages, one module per schema; the classes are the only declaration."""
