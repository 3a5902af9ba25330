"""Reference data that is not ours to publish: where it lies, and the mark of tests that need it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REFERENCE = Path(os.environ.get("PLUGCHARGE_REFERENCE") or "/nonexistent")
needs_reference = pytest.mark.skipif(not REFERENCE.is_dir(), reason="PLUGCHARGE_REFERENCE names no folder")
