"""The rule families. A format says which amounts are acceptable, who wins, and at what price; nothing else.

To add one: a module beside :mod:`english` with a class that satisfies :class:`Format`, and a line in ``FORMATS``.
"""

from __future__ import annotations

from typing import Final

from auctionctl.auction.formats.english import English
from auctionctl.auction.formats.format import Format

FORMATS: Final[dict[str, Format]] = {"english": English()}
"""Name in the terms → its rules."""

__all__ = ["FORMATS", "Format"]
