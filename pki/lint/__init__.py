"""Judges the certificates of others against the profiles of V2G: what is wrong, where, and what to do about it."""
