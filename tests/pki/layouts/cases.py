"""Which layout can hold the tree of which edition."""

from __future__ import annotations

from pki.layouts import LayoutName

CASES = [
    (layout.value, edition)
    for layout in LayoutName
    for edition in ("iso2", "iso20", "iso20-ed448", "josev")
    # It reads keys on elliptic curves alone.
    if (layout, edition) != (LayoutName.JOSEV, "iso20-ed448")
]
