"""The charging station's side: one SECC process serves the EVSEs of its configuration."""
