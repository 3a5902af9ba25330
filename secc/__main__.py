"""`python -m secc` is the command `plugcharge secc`."""

from __future__ import annotations

from secc.commands import secc

if __name__ == "__main__":
    secc()
