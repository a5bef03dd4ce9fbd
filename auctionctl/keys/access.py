"""Whom a house lets in besides those on its allow list."""

from __future__ import annotations

import enum


class Access(enum.StrEnum):
    """How open a house is (DESIGN.md section 5)."""

    LISTED = "listed"
    """Nobody else."""
    OPEN = "open"
    """Strangers too: as bidders, and to look on."""
