"""One auction as an event-sourced state machine (DESIGN.md section 6).

``decide_*`` and :meth:`Auction.due` say what may happen now; :meth:`Auction.check` says whether something that a log
claims to have happened was allowed; ``apply_*`` make it so. The house decides and applies; a replica checks and
applies; both run this code. Consequences (a soft close, deadlines moved by a gap) are computed where the event is
applied, so the log holds causes only. Nothing here verifies a signature: that is done on the bytes, before.

Whether a bid is in time is a matter of order: its entry stands below the close entry's. The house therefore runs
:meth:`Auction.due` before it judges bids at the same instant.
"""

from __future__ import annotations

from typing import assert_never

from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.events import Cancelled, Closed, Gap, HouseEvent, Left, Opened, kind_of
from auctionctl.auction.formats import FORMATS
from auctionctl.auction.formats.format import Standing
from auctionctl.auction.phase import EndReason, Phase, next_phase
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.terms import SECOND_NS, ReserveOpening, Terms, opens_commitment

MAX_GAP_GRACE_NS = 5 * SECOND_NS
"""How far beyond its own entry's time a gap may reach: the time that bidders are given to reconnect."""

NOT_ENOUGH_BIDDERS = "min_bidders"


class Auction:
    """The state of one auction after ``size`` entries. Built from its terms entry; changed by ``apply_*`` alone.

    ``id`` is 32 bytes. Times are nanoseconds on the house's clock; amounts are minor units of the terms' currency.
    """

    __slots__ = (
        "_format",
        "_gap_floor_ns",
        "_join_nonces",
        "announced_ns",
        "bid_count",
        "end_ns",
        "extensions",
        "id",
        "last_time_ns",
        "max_end_ns",
        "opened_at_ns",
        "outcome",
        "phase",
        "present",
        "seqs",
        "size",
        "standing",
        "start_deadline_ns",
        "terms",
    )

    def __init__(self, auction_id: bytes, terms: Terms, time_ns: int) -> None:
        self.id = auction_id
        self.terms = terms
        self._format = FORMATS[terms.rules.format]
        self.phase = Phase.ANNOUNCED
        self.size = 1
        self.announced_ns = time_ns
        self.last_time_ns = time_ns
        self.start_deadline_ns = time_ns + terms.rules.start_timeout_ns
        self.opened_at_ns = 0
        self.end_ns = 0
        self.max_end_ns = 0
        self.extensions = 0
        self.present: set[bytes] = set()
        self.seqs: dict[bytes, int] = {}
        self.standing: Standing | None = None
        self.bid_count = 0
        self.outcome: Closed | Cancelled | None = None
        self._join_nonces: set[tuple[bytes, bytes]] = set()
        self._gap_floor_ns = time_ns

    @property
    def minimum_minor(self) -> int:
        """The least acceptable bid now."""
        return self._format.minimum_minor(self.terms.rules, self.standing)

    @property
    def end_reason(self) -> EndReason | None:
        """Why it ended, or None while it has not."""
        match self.outcome:
            case None:
                return None
            case Cancelled():
                return EndReason.CANCELLED
            case Closed(end_reason):
                return EndReason(end_reason)
            case _:
                assert_never(self.outcome)

    @property
    def is_ready_to_open(self) -> bool:
        """Whether enough bidders have joined: the next entry then is ``opened``, at the time of the last joining."""
        return self.phase is Phase.ANNOUNCED and len(self.present) >= self.terms.rules.min_bidders

    # Time

    def get_timer(self) -> int | None:
        """When :meth:`due` will next have something to say, or None."""
        match self.phase:
            case Phase.ANNOUNCED:
                return self.last_time_ns if self.is_ready_to_open else self.start_deadline_ns
            case Phase.OPEN:
                return self.end_ns
            case Phase.CLOSED:
                return None
            case _:
                assert_never(self.phase)

    def due(self, now_ns: int, reserve: ReserveOpening | None) -> Opened | Cancelled | Closed | None:
        """What must happen now, before anything else at ``now_ns``. ``reserve`` opens the terms' reserve, if any."""
        match self.phase:
            case Phase.ANNOUNCED:
                if self.is_ready_to_open:
                    return Opened()
                return Cancelled(NOT_ENOUGH_BIDDERS) if now_ns >= self.start_deadline_ns else None
            case Phase.OPEN:
                return self._closing(reserve) if now_ns >= self.end_ns else None
            case Phase.CLOSED:
                return None
            case _:
                assert_never(self.phase)

    def _closing(self, reserve: ReserveOpening | None) -> Closed:
        assert (reserve is None) == (self.terms.rules.reserve is None), "a reserve has to be opened at the close"
        if self.standing is None:
            return Closed(EndReason.NO_BIDS, reserve=reserve)
        sale = self._format.sale(self.standing, None if reserve is None else reserve.minor)
        if sale is None:
            return Closed(EndReason.RESERVE_NOT_MET, reserve=reserve)
        return Closed(EndReason.COMPLETED, sale.leader, sale.price_minor, sale.bid_index, reserve)

    # Deciding

    def decide_join(self, join: Join, now_ns: int) -> Refusal | None:
        """Why ``join`` is refused at ``now_ns``, or None. One that is ready to open takes nobody: open it first."""
        if join.house != self.terms.house:
            return Refusal(Code.WRONG_HOUSE)
        if self.phase is Phase.CLOSED or now_ns >= (self.get_timer() or 0):
            return Refusal(Code.CLOSED)
        if join.bidder == self.terms.seller:
            return Refusal(Code.OWN_AUCTION)
        if join.bidder in self.present:
            return Refusal(Code.ALREADY_JOINED)
        if (join.bidder, join.nonce) in self._join_nonces:
            return Refusal(Code.JOIN_REPEATED)
        return self._refuse_times(join.not_after_ns, now_ns)

    def decide_bid(self, bid: Bid, now_ns: int) -> Refusal | None:
        """Why ``bid`` is refused at ``now_ns``, or None. Its bytes and signature have been checked already."""
        terms = self.terms
        if bid.house != terms.house:
            return Refusal(Code.WRONG_HOUSE)
        if self.phase is not Phase.OPEN or now_ns >= self.end_ns:
            return Refusal(Code.NOT_OPEN if self.phase is Phase.ANNOUNCED else Code.CLOSED)
        bidder = bid.bidder
        if bidder == terms.seller:
            return Refusal(Code.OWN_AUCTION)
        if bidder not in self.present:
            return Refusal(Code.NOT_JOINED)
        if bid.currency != terms.rules.currency:
            return Refusal(Code.WRONG_CURRENCY)
        seq = self.seqs.get(bidder, 0)
        if bid.seq <= seq:
            code = Code.SEQUENCE_CONFLICT if bid.seq == seq else Code.STALE
            return Refusal(code, (("seq", bid.seq), ("last_seq", seq)))
        return self._refuse_times(bid.not_after_ns, now_ns) or self._format.refuse(
            terms.rules, self.standing, bidder, bid.amount_minor
        )

    def _refuse_times(self, not_after_ns: int, now_ns: int) -> Refusal | None:
        if not_after_ns < now_ns:
            return Refusal(Code.EXPIRED, (("not_after", not_after_ns), ("now", now_ns)))
        latest_ns = now_ns + self.terms.rules.bid_timeout_ns
        if not_after_ns > latest_ns:
            return Refusal(Code.NOT_AFTER_TOO_FAR, (("not_after", not_after_ns), ("latest", latest_ns)))
        return None

    # Checking what a log claims

    def check(self, event: HouseEvent, time_ns: int) -> str | None:
        """Why the house may not claim ``event`` at ``time_ns``, or None (its caller sees to the order of times)."""
        if next_phase(self.phase, kind_of(event)) is None:
            return f"{kind_of(event)} is not allowed while {self.phase}"
        if self.is_ready_to_open and not isinstance(event, Opened):
            return "enough bidders have joined: it has to open first"
        match event:
            case Opened():
                return self._check_opened(time_ns)
            case Left(bidder):
                return None if bidder in self.present else "a bidder left that was not there"
            case Gap():
                return self._check_gap(event, time_ns)
            case Cancelled():
                return None if self.due(time_ns, None) == event else "cancelled without cause"
            case Closed():
                return self._check_closed(event, time_ns)
            case _:
                assert_never(event)

    def _check_opened(self, time_ns: int) -> str | None:
        if not self.is_ready_to_open:
            return f"opened with {len(self.present)} bidders, and the terms ask for {self.terms.rules.min_bidders}"
        if time_ns != self.last_time_ns:
            return "opened later than the joining that made it possible"
        return None

    def _check_gap(self, gap: Gap, time_ns: int) -> str | None:
        if not self._gap_floor_ns <= gap.since_ns <= gap.until_ns:
            return "a gap reaches back over a sign of life or another gap, or ends before it begins"
        if gap.until_ns > time_ns + MAX_GAP_GRACE_NS:
            return "a gap reaches further ahead than bidders need to reconnect"
        return None

    def _check_closed(self, closed: Closed, time_ns: int) -> str | None:
        if time_ns < self.end_ns:
            return f"closed {self.end_ns - time_ns} ns before its end"
        reserve = self.terms.rules.reserve
        if reserve is None:
            if closed.reserve is not None:
                return "a reserve was opened that the terms do not hold"
        elif closed.reserve is None or not opens_commitment(reserve, closed.reserve, self.terms.rules.currency):
            return "the reserve was not opened to what the terms commit to"
        expected = self._closing(closed.reserve)
        for name in ("end_reason", "winner", "price_minor", "bid_index"):
            if getattr(closed, name) != getattr(expected, name):
                return f"{name} of the close entry is not what the bids say"
        return None

    # Applying

    def apply_join(self, join: Join, time_ns: int) -> None:
        """A ``joined`` entry that :meth:`decide_join` accepted."""
        self._advance(time_ns)
        self._gap_floor_ns = max(self._gap_floor_ns, time_ns)
        self._join_nonces.add((join.bidder, join.nonce))
        self.present.add(join.bidder)

    def apply_bid(self, bid: Bid, time_ns: int) -> int:
        """A ``bid`` entry that :meth:`decide_bid` accepted; returns its index in the log."""
        index = self.size
        self._advance(time_ns)
        self._gap_floor_ns = max(self._gap_floor_ns, time_ns)
        self.bid_count += 1
        self.seqs[bid.bidder] = bid.seq
        self.standing = Standing(bid.amount_minor, bid.bidder, index)
        window_ns = self.terms.rules.soft_close_window_ns
        if self.end_ns - time_ns < window_ns:
            end_ns = min(time_ns + window_ns, self.max_end_ns)
            if end_ns > self.end_ns:
                self.end_ns = end_ns
                self.extensions += 1
        return index

    def apply(self, event: HouseEvent, time_ns: int) -> None:
        """An entry of the house's own that :meth:`check` found nothing against."""
        self._advance(time_ns)
        match event:
            case Opened():
                rules = self.terms.rules
                self.opened_at_ns = time_ns
                self.end_ns = time_ns + rules.duration_ns
                self.max_end_ns = self.end_ns + rules.max_extension_ns
            case Left(bidder):
                self.present.discard(bidder)
            case Gap(since_ns, until_ns):
                self._gap_floor_ns = until_ns
                self._move_deadlines(since_ns, until_ns - since_ns)
            case Cancelled() | Closed():
                self.outcome = event
            case _:
                assert_never(event)
        phase = next_phase(self.phase, kind_of(event))
        assert phase is not None
        self.phase = phase

    def _advance(self, time_ns: int) -> None:
        self.size += 1
        self.last_time_ns = time_ns

    def _move_deadlines(self, since_ns: int, by_ns: int) -> None:
        """A deadline that had passed before the gap began was not running, and stays."""
        if self.phase is Phase.ANNOUNCED and self.start_deadline_ns > since_ns:
            self.start_deadline_ns += by_ns
        if self.phase is Phase.OPEN and self.end_ns > since_ns:
            self.end_ns += by_ns
            self.max_end_ns += by_ns

    def next_gap_since_ns(self, since_ns: int) -> int:
        """The start of a gap that would begin at ``since_ns``, put behind the last sign of life and the last gap."""
        return max(since_ns, self._gap_floor_ns)
