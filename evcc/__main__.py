"""`python -m evcc` is the command `plugcharge evcc`."""

from __future__ import annotations

from evcc.commands import evcc

if __name__ == "__main__":
    evcc()
