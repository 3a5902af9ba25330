"""`python -m v2g` offers `decode` and `encode`, as `plugcharge` does."""

from __future__ import annotations

from v2g.commands import v2g

if __name__ == "__main__":
    v2g()
