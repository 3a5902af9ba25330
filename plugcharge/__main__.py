"""`python -m plugcharge` is the command `plugcharge`."""

from __future__ import annotations

from plugcharge.commands import main

if __name__ == "__main__":
    main()
