"""The state of both programs after the same entries, side by side, to the last number that anything depends on."""

from __future__ import annotations

import functools
from typing import Any

from auctionctl.errors import VerificationError
from auctionctl.replica.replay import Replay
from auctionctl.wire.frames import is_signed_by

is_signed = functools.lru_cache(maxsize=10_000)(is_signed_by)
"""The same entries are replayed again and again."""


class Pair:
    """One log, replayed by the package and by the verifier."""

    def __init__(self, house: bytes, auction: bytes, rules: Any, entries: tuple[bytes, ...] = ()) -> None:
        """``rules`` is the verifier's module of that name."""
        self._rules = rules
        self.entries = entries
        self.first = Replay(house, auction, is_signed)
        self.second = rules.Replay(house, auction)
        for data in entries:
            self.first.apply(data)
            self.second.add(data)
        if entries:
            self.compare()

    def with_entries(self, entries: tuple[bytes, ...]) -> Pair:
        """Another, of the same log."""
        return Pair(self.first.house, self.first.auction_id, self._rules, entries)

    def put(self, data: bytes) -> str:
        """The word by which both refuse ``data`` as the next entry; empty if both have taken it."""
        words = [self._of_first(data), self._of_second(data)]
        assert words[0] == words[1], words
        if not words[0]:
            self.entries += (data,)
            self.compare()
        return words[0]

    def _of_first(self, data: bytes) -> str:
        try:
            self.first.apply(data)
        except VerificationError as error:
            return str(error.rule)
        return ""

    def _of_second(self, data: bytes) -> str:
        try:
            self.second.add(data)
        except ValueError as error:
            return str(getattr(error, "rule", None) or "entry")
        return ""

    def compare(self) -> None:
        first, second = of_package(self.first), of_verifier(self.second)
        assert first == second, {key: (first[key], second[key]) for key in first if first[key] != second[key]}


def of_package(replay: Replay) -> dict[str, Any]:
    """What the package keeps, under the names of the page."""
    auction = replay.state
    pauses: Any = auction.pauses
    settlement: Any = auction.settlement
    must = auction.must_follow
    state = {
        "phase": str(auction.whereabouts),
        "must": None if must is None else must.__struct_config__.tag,
        "deadline": auction.get_timer(),
        "last": auction.last_time_ns,
        "floor": auction.gap_floor_ns,
        "end": auction.end_ns,
        "max_end": auction.max_end_ns,
        "present": auction.present,
        "seqs": auction.seqs,
        "extensions": auction.extensions,
        "price": auction.standing and auction.standing.price_minor,
        "commands": auction._commands,
        "absent": set(pauses._absent) if auction.opened_at_ns and settlement is None else None,
        "count": pauses.count,
        "spent": pauses.spent_ns,
        "waits": {b: count for b, count in pauses._counts.items() if b is not None},
        "waited": {b: spent for b, spent in pauses._spent.items() if b is not None},
        "since": pauses._waited,
        "root": replay.tree.root(),
        "contested": replay.contested,
        "takeover_epoch": auction.takeover.epoch if auction.takeover else 0,
        "operators": [[index, time_ns, key.hex()] for index, time_ns, key in replay.operations],
        "sale": None,
    }
    if settlement is not None:
        state["sale"] = {
            "debtor": settlement.debtor,
            "price": settlement.price_minor,
            "bid_index": settlement.bid_index,
            "due": settlement.due_ns,
            "absent_since": settlement._absent_since_ns,
            "by": settlement.stage_by_ns,
            "excluded": settlement._excluded,
        }
    return state


def of_verifier(replay: Any) -> dict[str, Any]:
    """What the verifier keeps, in the same form."""
    pauses, sale = replay.pauses, replay.sale
    is_open = replay.phase not in {"", "announced"}
    state = {
        "phase": replay.phase,
        "must": replay.must_follow(),
        "deadline": replay.deadline(),
        "last": replay.last,
        "floor": replay.floor,
        "end": getattr(replay, "end", 0),
        "max_end": getattr(replay, "max_end", 0),
        "present": replay.present,
        "seqs": replay.seqs,
        "extensions": replay.extensions,
        "price": max((amount for amount, _ in replay.best.values()), default=None),
        "commands": replay.commands,
        "absent": pauses.absent if is_open and sale is None and hasattr(replay, "end") else None,
        "count": pauses.count,
        "spent": pauses.spent,
        "waits": pauses.waits,
        "waited": pauses.waited,
        "since": pauses.since,
        "root": replay.tree.roots[-1],
        "contested": replay.contested,
        "takeover_epoch": replay.takeover_epoch,
        "operators": replay.operators,
        "sale": None,
    }
    if sale is not None:
        names = ("debtor", "price", "bid_index", "due", "absent_since", "excluded")
        state["sale"] = {name: getattr(sale, name) for name in names} | {"by": sale.by or 0}
    return state
