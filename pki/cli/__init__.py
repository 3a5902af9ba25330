"""The `pki` commands, a module each."""
