"""What holds for every test: how many examples hypothesis draws, and no deadline on a machine that may be busy."""

from __future__ import annotations

from hypothesis import settings

from tests.endurance import count

settings.register_profile("plugcharge", deadline=None, max_examples=count(100, 5_000))
settings.load_profile("plugcharge")
