"""What a log is to be longer by: the one word for it between whoever decides and whoever stores.

Rule: it says how long the log is before, so that nobody appends to a log that is another than he thinks.
"""

from __future__ import annotations

from typing import NamedTuple


class Append(NamedTuple):
    """``entries``, each ≤ 16 KiB, go behind the ``expected_size`` entries that ``log`` has, or nothing does."""

    log: str
    expected_size: int
    entries: tuple[bytes, ...]
