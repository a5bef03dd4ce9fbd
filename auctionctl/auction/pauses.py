"""The pauses of one auction: who is waited for, how much of that the terms allow, and until when (DESIGN.md section 6).

Rule: what is counted here is nobody's word but the log's: entries and their times go in. A pause moves the end by as
long as it lasts; a gap within it is part of that, but is not counted against the caps, for it is nobody's absence.
Times are nanoseconds on the house's clock, never before the end of the gap last entered: a gap may reach ahead of its
entry, and what it covers has moved the deadlines already.
"""

from __future__ import annotations

from auctionctl.auction.rules import Disconnection, PauseRules


class Pauses:
    """What has been paused so far, and what may still be. Bidders are signing keys, 32 bytes."""

    __slots__ = (
        "_absent",
        "_began_ns",
        "_counted_from_ns",
        "_counts",
        "_is_by_terms",
        "_needed_until_ns",
        "_rules",
        "_spent",
        "_waited",
    )

    def __init__(self, rules: PauseRules) -> None:
        self._rules = rules
        self._absent: dict[bytes, None] = {}
        self._counts: dict[bytes | None, int] = {}
        self._spent: dict[bytes | None, int] = {}
        """Bidder → how often and for how long it was waited for; None: how often and how long the auction stood."""
        self._waited: dict[bytes, int] = {}
        """Whom this pause waits for, and since when that counts."""
        self._began_ns = 0
        self._counted_from_ns = 0
        self._needed_until_ns = 0
        """When the last one came back for whom the present pause waited: until then it stood still with good reason."""
        self._is_by_terms = False

    def __eq__(self, other: object) -> bool:
        """Whether both have come to the same."""
        return isinstance(other, Pauses) and all(getattr(self, each) == getattr(other, each) for each in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    @property
    def count(self) -> int:
        """How many pauses there have been."""
        return self._counts.get(None, 0)

    @property
    def spent_ns(self) -> int:
        """How long the pauses that have ended were, without the gaps in them."""
        return self._spent.get(None, 0)

    @property
    def is_by_terms(self) -> bool:
        """Whether the present pause, or the last one, came by the terms, and not by an operator."""
        return self._is_by_terms

    def allows_another(self) -> bool:
        """Whether the terms allow another pause at all."""
        return self.count < self._rules.max_pauses and self.spent_ns < self._rules.max_pause_ns

    def must_begin(self, is_below_minimum: bool) -> bool:
        """Whether an open auction has to stand still now, by its terms; ``is_below_minimum``: fewer are present."""
        if self._rules.disconnection is Disconnection.CONTINUE or not self._absent:
            return False
        if self._rules.disconnection is Disconnection.PAUSE_BELOW_MIN_BIDDERS and not is_below_minimum:
            return False
        return self.allows_another() and any(map(self._can_wait_for, self._absent))

    def must_end(self, is_below_minimum: bool) -> bool:
        """Whether a pause by the terms is over, for there is nobody left to wait for."""
        if not self._is_by_terms:
            return False
        enough = self._rules.disconnection is Disconnection.PAUSE_BELOW_MIN_BIDDERS and not is_below_minimum
        return enough or not self._waited

    def end_by_ns(self) -> int:
        """When the present pause has to end, whoever is back: its cap."""
        in_all_ns = self._counted_from_ns + self._rules.max_pause_ns - self.spent_ns
        if not self._is_by_terms:
            return in_all_ns
        allowed_ns = self._rules.max_pause_a_bidder_ns
        each_ns = [since_ns + allowed_ns - self._spent.get(bidder, 0) for bidder, since_ns in self._waited.items()]
        return min(in_all_ns, max([self._needed_until_ns, *each_ns]))

    # What the log says

    def opened(self) -> None:
        """Bidding begins, with those who are present."""
        self._absent.clear()

    def left(self, bidder: bytes, at_ns: int, is_paused: bool) -> None:
        """``bidder`` has left."""
        self._absent[bidder] = None
        if is_paused and self._is_by_terms:
            self._wait_for(bidder, at_ns)

    def joined(self, bidder: bytes, at_ns: int) -> None:
        """``bidder`` is there (again)."""
        self._absent.pop(bidder, None)
        if bidder in self._waited:
            self._needed_until_ns = max(self._needed_until_ns, min(at_ns, self.end_by_ns()))
        self._stop_waiting(bidder, at_ns)

    def begin(self, at_ns: int, is_by_terms: bool) -> None:
        """The auction stands still."""
        self._counts[None] = self.count + 1
        self._began_ns = self._counted_from_ns = self._needed_until_ns = at_ns
        self._is_by_terms = is_by_terms
        if is_by_terms:
            for bidder in self._absent:
                self._wait_for(bidder, at_ns)

    def end(self, at_ns: int) -> int:
        """The auction goes on; returns by how much its deadlines move: not beyond the cap, however late that is."""
        if self._waited or not self._is_by_terms:
            at_ns = min(at_ns, self.end_by_ns())
        for bidder in list(self._waited):
            self._stop_waiting(bidder, at_ns)
        self._spent[None] = self.spent_ns + at_ns - self._counted_from_ns
        return at_ns - self._began_ns

    def add_gap(self, since_ns: int, until_ns: int) -> None:
        """Nobody could come back from ``since_ns`` until ``until_ns``, within the present pause: nothing of it counts.

        ``since_ns`` is not before the pause began: a gap never reaches back over one.
        """
        self._counted_from_ns += until_ns - since_ns
        self._needed_until_ns += max(0, until_ns - max(since_ns, self._needed_until_ns))
        for bidder, from_ns in self._waited.items():
            self._waited[bidder] = from_ns + max(0, until_ns - max(since_ns, from_ns))

    # Of one bidder

    def _can_wait_for(self, bidder: bytes) -> bool:
        is_too_often = self._counts.get(bidder, 0) >= self._rules.max_pauses_a_bidder
        return not is_too_often and self._spent.get(bidder, 0) < self._rules.max_pause_a_bidder_ns

    def _wait_for(self, bidder: bytes, at_ns: int) -> None:
        if self._can_wait_for(bidder):
            self._counts[bidder] = self._counts.get(bidder, 0) + 1
            self._waited[bidder] = at_ns

    def _stop_waiting(self, bidder: bytes, at_ns: int) -> None:
        since_ns = self._waited.pop(bidder, None)
        if since_ns is not None:
            spent_ns = self._spent.get(bidder, 0) + at_ns - since_ns
            self._spent[bidder] = min(spent_ns, self._rules.max_pause_a_bidder_ns)
