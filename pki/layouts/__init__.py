"""The folders other stacks keep certificates in: which there are, and the table of each."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pki.layouts.layout import Layout


class LayoutName(StrEnum):
    """The layouts there are."""

    EVEREST = "everest"
    FLAT = "flat"
    JOSEV = "josev"


def named(name: str) -> Layout:
    """Return the table of a layout; raise ValueError if there is none of that name."""
    if name not in list(LayoutName):
        raise ValueError(f"there is no layout {name!r}; known: {', '.join(LayoutName)}")
    found: Layout = import_module(f"pki.layouts.{name}").LAYOUT
    return found
