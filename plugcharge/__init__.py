"""The `plugcharge` command line: mounts what the packages offer."""
