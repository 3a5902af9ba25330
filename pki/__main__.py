"""`python -m pki`."""

from __future__ import annotations

from pki.commands import pki

if __name__ == "__main__":
    pki(prog_name="pki")
