"""The standards as data: which message may come when, for both sides, with the place each line was taken from."""
