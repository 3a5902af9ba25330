"""`pki report`: a tree of certificates as one page for people who were not there."""
