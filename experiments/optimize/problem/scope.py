"""The scope of a search: which parts of a plan it may change."""

from __future__ import annotations

from typing import Literal, get_args

Scope = Literal["all", "offsets", "splits", "timing", "own-stages"]
"""Everything; offsets; splits (and nothing else); splits, offsets and cycle with the existing stages; everything, but
with no stage that the existing program does not have."""
SCOPES: tuple[str, ...] = get_args(Scope)
