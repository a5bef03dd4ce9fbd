"""One auction as an event-sourced state machine (DESIGN.md section 6).

``decide_*`` and :meth:`Auction.due` say what may happen now; :meth:`Auction.check` says whether something that a log
claims to have happened was allowed; ``apply_*`` make it so. The house decides and applies; a replica checks and
applies; both run this code. Consequences (a soft close, deadlines moved by a gap) are computed where the event is
applied, so the log holds causes only. Nothing here verifies a signature: that is done on the bytes, before.

Whether a bid is in time is a matter of order: its entry stands below the close entry's. The house therefore runs
:meth:`Auction.due` before it judges bids at the same instant.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, assert_never

from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.claims import check_claim
from auctionctl.auction.commands import (
    KINDS,
    MAX_COMMAND_TIME_NS,
    AnyCommand,
    Cancel,
    Pause,
    Resume,
    type_of,
)
from auctionctl.auction.events import (
    Cancelled,
    Closed,
    Defaulted,
    Gap,
    HouseEvent,
    Left,
    OfferLapsed,
    Opened,
    PauseCause,
    Paused,
    Resumed,
    Reverted,
    Takeover,
    kind_of,
)
from auctionctl.auction.formats import FORMATS
from auctionctl.auction.formats.format import Standing
from auctionctl.auction.pauses import Pauses
from auctionctl.auction.phase import EndReason, Phase, Stage, next_phase, next_stage
from auctionctl.auction.possible import possible_commands
from auctionctl.auction.rejection import Code, Refusal
from auctionctl.auction.rules import Cancellation, OnDefault
from auctionctl.auction.settlement import BestBid, Settlement
from auctionctl.auction.statements import refuse_reputation, refuse_times
from auctionctl.auction.terms import ReserveOpening, Terms

NOT_ENOUGH_BIDDERS = "min_bidders"
CALLED_OFF = "operator"
"""Why there is no sale, where an operator said so: the operator's own words stand in the entry."""

_OPEN: Final = Phase.OPEN  # at hand, for it is asked at every bid: until Python 3.12, to find it takes longer than that
_NO_BIDS: Final = MappingProxyType({Phase.ANNOUNCED: Code.NOT_OPEN, Phase.PAUSED: Code.PAUSED})


class Auction:
    """The state of one auction after ``size`` entries. Built from its terms entry; changed by ``apply_*`` alone.

    ``id`` is 32 bytes. Times are nanoseconds on the house's clock; amounts are minor units of the terms' currency.
    """

    __slots__ = (
        "_best",
        "_commands",
        "_format",
        "announced_ns",
        "bid_count",
        "end_ns",
        "ended_ns",
        "extensions",
        "gap_floor_ns",
        "id",
        "joined",
        "last_time_ns",
        "left_leading",
        "max_end_ns",
        "opened_at_ns",
        "outcome",
        "pauses",
        "phase",
        "present",
        "seqs",
        "settlement",
        "size",
        "standing",
        "start_deadline_ns",
        "takeover",
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
        self.ended_ns = 0
        """When bidding ended: the time of the entry that says so; 0 while none does."""
        self.extensions = 0
        self.present: set[bytes] = set()
        self.seqs: dict[bytes, int] = {}
        self.left_leading: dict[bytes, int] = {}
        """How often whom left while it led, before bidding was over."""
        self.standing: Standing | None = None
        self.bid_count = 0
        self.outcome: Closed | Cancelled | None = None
        self.pauses = Pauses(terms.rules.pauses)
        self.settlement: Settlement | None = None
        """Of the sale, once bidding has ended with one and the terms have it followed up."""
        self._best: dict[bytes, BestBid] | None = {} if terms.rules.payment.on_default is OnDefault.OFFER else None
        self._commands: set[bytes] = set()
        self.joined: dict[bytes, set[bytes]] = {}
        """Who has ever joined, and the nonces of its joinings."""
        self.gap_floor_ns = time_ns
        """What no gap may reach back over: the last sign of life, or the end of the last gap, which may be ahead."""
        self.takeover: Takeover | None = None
        """The last one: by which instance of the house the log has gone on."""

    @property
    def minimum_minor(self) -> int:
        """The least acceptable bid now."""
        return self._format.minimum_minor(self.terms.rules, self.standing)

    @property
    def end_reason(self) -> EndReason | None:
        """Why it ended, or None while it has not; a sale that was completed may be reverted later."""
        if self.settlement is not None and self.settlement.stage is Stage.REVERTED:
            return EndReason.REVERTED
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
    def is_final(self) -> bool:
        """Whether nothing can follow: bidding has ended, and its sale, if any, is settled or reverted."""
        return self.outcome is not None and (self.settlement is None or self.settlement.is_final)

    @property
    def sale(self) -> Standing | None:
        """Who buys the lot, at which price and by which bid, as things stand; None while or where nobody does."""
        settlement = self.settlement
        if settlement is not None:
            is_sold = settlement.stage in (Stage.PENDING_PAYMENT, Stage.PAID, Stage.SETTLED)
            return Standing(settlement.price_minor, settlement.debtor, settlement.bid_index) if is_sold else None
        return self.standing if isinstance(self.outcome, Closed) and self.outcome.winner is not None else None

    @property
    def whereabouts(self) -> Phase | Stage:
        """The phase, or the stage of the settlement where there is one."""
        return self.phase if self.settlement is None else self.settlement.stage

    def allows(self, kind: str) -> bool:
        """Whether an entry of ``kind`` may follow at all, by the tables."""
        if self.settlement is None:
            return next_phase(self.phase, kind) is not None
        return next_stage(self.settlement.stage, kind) is not None

    @property
    def possible_commands(self) -> tuple[str, ...]:
        """The types of commands that the rules could accept as things stand, from whoever may give them."""
        return possible_commands(self)

    @property
    def may_cancel(self) -> bool:
        """Whether the terms let an operator call it off, as far as its bids go."""
        return not self.bid_count or self.terms.rules.cancellation is Cancellation.BEFORE_CLOSE

    def watches(self, bidder: bytes) -> bool:
        """Whether a ``left`` of ``bidder`` would be entered now, were it gone."""
        return bidder in self.present and (self.outcome is None or self.takes_debtor(bidder))

    @property
    def watched(self) -> frozenset[bytes]:
        """All of whom :meth:`watches` is true."""
        if self.outcome is None:
            return frozenset(self.present)
        return frozenset() if self.settlement is None else frozenset(filter(self.watches, (self.settlement.debtor,)))

    @property
    def is_ready_to_open(self) -> bool:
        """Whether enough bidders have joined: the next entry then is ``opened``, at the time of the last joining."""
        return self.phase is Phase.ANNOUNCED and len(self.present) >= self.terms.rules.min_bidders

    @property
    def must_follow(self) -> Opened | Paused | Resumed | Reverted | None:
        """The entry that has to come next, at the time of the last one, or None."""
        match self.phase:
            case Phase.ANNOUNCED:
                return Opened() if self.is_ready_to_open else None
            case Phase.OPEN:
                is_running = self.last_time_ns < self.end_ns
                return Paused(PauseCause.TERMS) if is_running and self.pauses.must_begin(self._is_below) else None
            case Phase.PAUSED:
                return Resumed(PauseCause.TERMS) if self.pauses.must_end(self._is_below) else None
            case Phase.CLOSED:
                return Reverted() if self.settlement is not None and self.settlement.must_revert else None
            case _:
                assert_never(self.phase)

    @property
    def _is_below(self) -> bool:
        return len(self.present) < self.terms.rules.min_bidders

    # Time

    def get_timer(self) -> int | None:
        """When :meth:`due` will next have something to say, or None."""
        if self.must_follow is not None:
            return self.last_time_ns
        match self.phase:
            case Phase.ANNOUNCED:
                return self.start_deadline_ns
            case Phase.OPEN:
                return self.end_ns
            case Phase.PAUSED:
                return self.pauses.end_by_ns()
            case Phase.CLOSED:
                return None if self.settlement is None else self.settlement.get_timer()
            case _:
                assert_never(self.phase)

    def due(self, now_ns: int, reserve: ReserveOpening | None) -> HouseEvent | None:
        """What must happen now, before anything else at ``now_ns``. ``reserve`` opens the terms' reserve, if any."""
        if (first := self.must_follow) is not None:
            return first
        match self.phase:
            case Phase.ANNOUNCED:
                return Cancelled(NOT_ENOUGH_BIDDERS) if now_ns >= self.start_deadline_ns else None
            case Phase.OPEN:
                return self.closing(reserve) if now_ns >= self.end_ns else None
            case Phase.PAUSED:
                return Resumed(PauseCause.CAP) if now_ns >= self.pauses.end_by_ns() else None
            case Phase.CLOSED:
                return None if self.settlement is None else self.settlement.due(now_ns)
            case _:
                assert_never(self.phase)

    def closing(self, reserve: ReserveOpening | None) -> Closed:
        """What the bids come to at the end; ``reserve`` opens the terms' reserve, if any."""
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
        is_over = self.phase is Phase.CLOSED and not self.takes_debtor(join.bidder)
        if is_over or now_ns >= (self.get_timer() or 0):
            return Refusal(Code.CLOSED)
        if join.bidder == self.terms.seller:
            return Refusal(Code.OWN_AUCTION)
        if join.bidder in self.present:
            return Refusal(Code.ALREADY_JOINED)
        if join.nonce in self.joined.get(join.bidder, ()):
            return Refusal(Code.JOIN_REPEATED)
        rules = self.terms.rules
        return refuse_times(join.not_after_ns, now_ns, rules.bid_timeout_ns) or refuse_reputation(
            join, rules.min_reputation_ppm, join.bidder in self.seqs
        )

    def takes_debtor(self, bidder: bytes) -> bool:
        """Whether it matters, now that bidding is over, that ``bidder`` comes or goes: it owes the price."""
        return self.settlement is not None and self.settlement.takes_presence_of(bidder)

    def decide_bid(self, bid: Bid, now_ns: int) -> Refusal | None:
        """Why ``bid`` is refused at ``now_ns``, or None. Its bytes and signature have been checked already."""
        terms, bidder = self.terms, bid.bidder
        if bid.house != terms.house:
            return Refusal(Code.WRONG_HOUSE)
        if self.phase is not _OPEN or now_ns >= self.end_ns:
            return Refusal(_NO_BIDS.get(self.phase, Code.CLOSED))
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
        return refuse_times(bid.not_after_ns, now_ns, terms.rules.bid_timeout_ns) or self._format.refuse(
            terms.rules, self.standing, bidder, bid.amount_minor
        )

    def decide_command(self, command: AnyCommand, command_id: bytes, now_ns: int) -> Refusal | None:
        """Why ``command``, whose bytes have this SHA-256, is refused at ``now_ns``, or None; as for a bid.

        That an actor is an operator is for others to check.
        """
        if command.house != self.terms.house:
            return Refusal(Code.WRONG_HOUSE)
        if command_id in self._commands:
            return Refusal(Code.COMMAND_REPEATED)
        if (refusal := refuse_times(command.not_after_ns, now_ns, MAX_COMMAND_TIME_NS)) is not None:
            return refusal
        match command:
            case Pause() | Resume() | Cancel():
                return self._decide_operation(command, now_ns)
            case _:
                return Refusal(Code.NO_SALE) if self.settlement is None else self.settlement.decide(command, now_ns)

    def _decide_operation(self, command: Pause | Resume | Cancel, now_ns: int) -> Refusal | None:
        if self.phase is Phase.CLOSED or now_ns >= (self.get_timer() or 0):
            return Refusal(Code.CLOSED)
        match command:
            case Pause() if self.phase is not Phase.OPEN:
                return Refusal(_NO_BIDS[self.phase])
            case Pause() if not self.pauses.allows_another():
                observed = (("pauses", self.pauses.count), ("paused_ns", self.pauses.spent_ns))
                return Refusal(Code.PAUSES_USED_UP, observed)
            case Resume() if self.phase is not Phase.PAUSED:
                return Refusal(Code.NOT_PAUSED)
            case Resume() if self.pauses.is_by_terms:
                return Refusal(Code.PAUSED_BY_TERMS, (("until", self.pauses.end_by_ns()),))
            case Cancel() if not self.may_cancel:
                return Refusal(Code.HAS_BIDS, (("bids", self.bid_count),))
            case _:
                return None

    def check(self, event: HouseEvent, time_ns: int) -> str | None:
        """Why the house may not claim ``event`` at ``time_ns``, or None (its caller sees to the order of times)."""
        return check_claim(self, event, time_ns)

    # Applying

    def apply_join(self, join: Join, time_ns: int) -> None:
        """A ``joined`` entry that :meth:`decide_join` accepted."""
        self._advance(time_ns)
        self.gap_floor_ns = max(self.gap_floor_ns, time_ns)
        self.joined.setdefault(join.bidder, set()).add(join.nonce)
        self.present.add(join.bidder)
        if self.settlement is not None:
            self.settlement.came(self.gap_floor_ns, is_present=True)
        else:
            self.pauses.joined(join.bidder, self.gap_floor_ns)

    def apply_bid(self, bid: Bid, time_ns: int) -> int:
        """A ``bid`` entry that :meth:`decide_bid` accepted; returns its index in the log."""
        index, bidder, amount_minor = self.size, bid.bidder, bid.amount_minor
        self.size = index + 1
        self.last_time_ns = time_ns
        self.gap_floor_ns = max(self.gap_floor_ns, time_ns)
        self.bid_count += 1
        self.seqs[bidder] = bid.seq
        self.standing = Standing(amount_minor, bidder, index)
        if self._best is not None:
            self._best[bidder] = BestBid(amount_minor, index)
        window_ns = self.terms.rules.soft_close_window_ns
        if self.end_ns - time_ns < window_ns:
            end_ns = min(time_ns + window_ns, self.max_end_ns)
            if end_ns > self.end_ns:
                self.end_ns = end_ns
                self.extensions += 1
        return index

    def apply_command(self, command: AnyCommand, command_id: bytes, time_ns: int) -> int:
        """The entry of a command that :meth:`decide_command` accepted; returns its index in the log."""
        index = self.size
        self._advance(time_ns)
        self._commands.add(command_id)
        # A sign of life, behind which no gap reaches back; and the time from which on deadlines run anew.
        at_ns = self.gap_floor_ns = max(self.gap_floor_ns, time_ns)
        match command:
            case Pause():
                self.pauses.begin(at_ns, is_by_terms=False)
            case Resume():
                self._go_on(at_ns)
            case Cancel():
                self.outcome = Cancelled(CALLED_OFF)
                self.ended_ns = time_ns
            case _:
                assert self.settlement is not None
                self.settlement.apply_command(command, command_id, at_ns, self.present)
        if self.settlement is None:
            self._move_on(KINDS[type_of(command)])
        return index

    def apply(self, event: HouseEvent, time_ns: int) -> None:
        """An entry of the house's own that :meth:`check` found nothing against."""
        self._advance(time_ns)
        at_ns = max(self.gap_floor_ns, time_ns)
        if not isinstance(event, Left | Takeover):
            # Deadlines that run from an entry on are moved by no gap from before it; an absence sees to that itself.
            # Nor does a takeover hide the time before it, in which nobody was there to write.
            self.gap_floor_ns = at_ns
        match event:
            case Opened():
                rules = self.terms.rules
                self.opened_at_ns = time_ns
                self.end_ns = time_ns + rules.duration_ns
                self.max_end_ns = self.end_ns + rules.max_extension_ns
                self.pauses.opened()
            case Left(bidder):
                self._miss(bidder, at_ns)
            case Gap(since_ns, until_ns):
                self.gap_floor_ns = until_ns
                self._move_deadlines(since_ns, until_ns)
            case Takeover():
                self.takeover = event
            case Paused():
                self.pauses.begin(at_ns, is_by_terms=True)
            case Resumed():
                self._go_on(at_ns)
            case Cancelled() | Closed():
                self.outcome = event
                self.ended_ns = time_ns
            case Defaulted() | OfferLapsed() | Reverted():
                assert self.settlement is not None
                self.settlement.apply(event, at_ns)
            case _:
                assert_never(event)
        if self.settlement is None:
            self._move_on(kind_of(event))
        if isinstance(event, Closed):
            self._sell(event, at_ns)

    def _move_on(self, kind: str) -> None:
        phase = next_phase(self.phase, kind)
        assert phase is not None
        self.phase = phase

    def _miss(self, bidder: bytes, at_ns: int) -> None:
        self.present.discard(bidder)
        if self.settlement is not None:
            self.settlement.came(at_ns, is_present=False)
            return
        if self.standing is not None and self.standing.leader == bidder:
            self.left_leading[bidder] = self.left_leading.get(bidder, 0) + 1
        self.pauses.left(bidder, at_ns, is_paused=self.phase is Phase.PAUSED)

    def _go_on(self, at_ns: int) -> None:
        moved_ns = self.pauses.end(at_ns)
        self.end_ns += moved_ns
        self.max_end_ns += moved_ns

    def _sell(self, closed: Closed, at_ns: int) -> None:
        rules = self.terms.rules
        if closed.winner is None or closed.price_minor is None or closed.bid_index is None:
            return
        if rules.payment.payment_ns:
            reserve_minor = 0 if closed.reserve is None else closed.reserve.minor
            best = self._best or {}
            self.settlement = Settlement(rules.payment, self.terms.seller, rules.currency, best, reserve_minor)
            bid = BestBid(closed.price_minor, closed.bid_index)
            self.settlement.begin(closed.winner, bid, at_ns, closed.winner in self.present)

    def _advance(self, time_ns: int) -> None:
        self.size += 1
        self.last_time_ns = time_ns

    def _move_deadlines(self, since_ns: int, until_ns: int) -> None:
        """A deadline that had passed before the gap began was not running, and stays."""
        by_ns = until_ns - since_ns
        match self.phase:
            case Phase.ANNOUNCED if self.start_deadline_ns > since_ns:
                self.start_deadline_ns += by_ns
            case Phase.OPEN if self.end_ns > since_ns:
                self.end_ns += by_ns
                self.max_end_ns += by_ns
            case Phase.PAUSED:
                # The end moves by the whole pause when that is over; until then only its caps run.
                self.pauses.add_gap(since_ns, until_ns)
            case Phase.CLOSED if self.settlement is not None:
                self.settlement.add_gap(since_ns, until_ns)
            case _:
                pass

    def next_gap_since_ns(self, since_ns: int) -> int:
        """The start of a gap that would begin at ``since_ns``, put behind the last sign of life and the last gap."""
        return max(since_ns, self.gap_floor_ns)
