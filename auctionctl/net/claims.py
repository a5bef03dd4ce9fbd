"""What an instance keeps of a log that is its own by a claim: when nobody looked after it (DESIGN.md section 9).

Rule: times are by the clocks of whoever signed, or wrote the claim; 0 is one that is not known.
"""

from __future__ import annotations

from typing import NamedTuple


class Won(NamedTuple):
    """The epoch of a claim of this instance; nobody looked after its log from ``since_ns`` on, or 0: not known."""

    epoch: int
    since_ns: int


class Unread(NamedTuple):
    """Since when nobody looks after a log that cannot be read here; this instance said nothing in it past ``said_ns``.

    ``said_ns`` is 0 where it said nothing since the log was given to it.
    """

    since_ns: int
    said_ns: int = 0
