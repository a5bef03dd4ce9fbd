"""Clock heads that bidders keep while things befall a house, each of them; and what a log has in it against any.

Rule: a bidder keeps the last clock head of each auction in a file, and here is kept what was ever in such a file. A log
is held against all of that entry by entry, by the words of auctionctl-log(5) and not by the program's own comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auctionctl.auction.events import Gap, decode_event
from auctionctl.auction.terms import SECOND_NS
from auctionctl.keys.signing import Identity
from auctionctl.net.instances import SIGNED_FOR_NS
from auctionctl.tlog.cosignature import TimedCheckpoint, open_timed
from auctionctl.tlog.entry import Entry, Kind, decode
from auctionctl.tlog.merkle import Tree, leaf_hash


class KeptDates:
    """The clock heads in the files under ``receipts``, from the first :meth:`look` to the last."""

    def __init__(self, receipts: Path) -> None:
        self._receipts = receipts
        self._notes: dict[str, dict[bytes, None]] = {}

    def look(self) -> None:
        """Keep what the files have now. A bidder may put another head in the place of each at any time."""
        for path in self._receipts.glob("*/clock-head.note"):
            note = path.read_bytes()
            self._notes.setdefault(_origin_of(note), {})[note] = None

    def of(self, origin: str) -> list[bytes]:
        """Every clock head of the log ``origin`` that was there when anybody looked."""
        return list(self._notes.get(origin, ()))


@dataclass(frozen=True, slots=True)
class Held:
    """A log that was held against what was kept of it."""

    heads: int
    """How many clock heads there were."""
    takeovers_between: int
    """How many takeovers have a clock head before them and one after them."""
    wrong: list[str]
    """Every entry that contradicts one."""


def hold(origin: str, house: Identity, entries: Sequence[bytes], notes: Sequence[bytes]) -> Held:
    """The log ``origin`` against ``notes``, which have to be clock heads of it: NoteError for any that is not."""
    heads = [open_timed(note, origin, house.text, house.signing) for note in notes]
    decoded = [decode(data) for data in entries]
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    wrong = [words for head in heads for words in _against(head, decoded, tree)]
    sizes = [head.checkpoint.size for head in heads]
    takeovers = [index for index, entry in enumerate(decoded) if entry.kind is Kind.TAKEOVER]
    between = sum(min(sizes, default=index + 1) <= index < max(sizes, default=0) for index in takeovers)
    return Held(len(heads), between, wrong)


def _against(head: TimedCheckpoint, entries: Sequence[Entry], tree: Tree) -> list[str]:
    size, begun_ns = head.checkpoint.size, head.time_s * SECOND_NS
    about = f"clock head of {head.time_s} s over {size} entries"
    if size > len(entries):
        return [f"{about}: the log has {len(entries)}"]
    found = [] if tree.root(size) == head.checkpoint.root else [f"{about}: they were others"]
    for index, entry in enumerate(entries):
        words = ""
        if index < size:
            words = "after that" if entry.time_ns >= begun_ns + SECOND_NS else ""
        elif entry.time_ns < begun_ns:
            words = "before that"
        elif entry.kind is Kind.GAP and _since_ns(entry) < begun_ns - SIGNED_FOR_NS:
            # Nobody could bid, it says, at a time at which the house signed; as far back as an instance need not have
            # given a sign of life, that may be so.
            words = f"and has nobody served since {_since_ns(entry)}"
        if words:
            found.append(f"{about}: entry {index}, {entry.kind}, is dated {entry.time_ns}, {words}")
    return found


def _since_ns(entry: Entry) -> int:
    gap = decode_event(entry.kind, entry.body)
    assert isinstance(gap, Gap)
    return gap.since_ns


def _origin_of(note: bytes) -> str:
    return note.partition(b"\n")[0].decode()
