"""Certificates that are wrong in one point, for laboratories: which there are, how each is made, what has to follow."""
