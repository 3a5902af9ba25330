"""`pki doctor`: what commonly keeps certificates from being used, told with its remedy."""
