"""A bidder's core: joins auctions, asks its strategies, bids, and believes nothing that it has not checked.

A :class:`~auctionctl.replica.follower.Follower` in the role of a bidder, with the same moves for its shell: feed,
drain, transmit and re-arm. A command is sent until it is answered, always as the same bytes; a new bid is made only
when the last one in that auction was rejected, or the verified log shows what became of it (DESIGN.md section 8).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, assert_never

from auctionctl.auction.bid import Bid, Join, decode_bid
from auctionctl.auction.commands import Cancel, Pause, Resume
from auctionctl.auction.events import Cancelled, Closed, Paused
from auctionctl.auction.events import Resumed as Resumes
from auctionctl.auction.rejection import RULES
from auctionctl.auction.terms import SECOND_NS, Terms
from auctionctl.bidding.answers import check_judgement, check_receipt, check_rejections, prove_from_replica
from auctionctl.bidding.experience import Experience
from auctionctl.bidding.notices import (
    AgentNotice,
    BidAccepted,
    BidPlaced,
    BidRejected,
    Ended,
    Evidence,
    Joined,
    JoinRejected,
    Outbid,
    Outcome,
    Result,
    Skipped,
)
from auctionctl.bidding.seat import ARCHIVED, HALTED, QUIET_NS, RETRY_NS, Command, Seat, refuse_terms
from auctionctl.bidding.strategy import Offer, Strategy
from auctionctl.bidding.wallet import Wallet
from auctionctl.errors import ConfigurationError, HistoryChangedError
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.follower import Advanced, ClockOff, Follower, Listed, RegistryAdvanced, Stamped, Welcomed
from auctionctl.replica.replay import Applied
from auctionctl.replica.replica import Head, HeadsOf, no_heads
from auctionctl.tlog.entry import Kind
from auctionctl.wire.frames import Message
from auctionctl.wire.measures import Measures
from auctionctl.wire.messages import Condition, Read, Receipts, Refused, Rejection, Rejections, encode

HOLD_NS: Final = SECOND_NS // 4
"""After a rejection, how long the log is waited for before the strategy is asked again."""
MAX_BUSY_NS: Final = 30 * SECOND_NS
"""The longest pause that a busy house is granted."""
MIN_WAIT_NS: Final = SECOND_NS // 100
"""The shortest wait of a strategy: one that asks for the past does not stop the world."""

_RULES: Final = {code.value: rule for code, rule in RULES.items()}

StrategyFactory = Callable[[Terms], Strategy]


class Agent:
    """One bidder with one budget, over one session of one house. Times are this machine's, as in a Follower."""

    def __init__(
        self,
        key: SecretKey,
        house: Identity,
        *,
        strategy: StrategyFactory,
        wallet: Wallet,
        rng: random.Random,
        nonces: Iterator[bytes],
        auctions: Collection[bytes] | None,
        earlier: Iterable[Message] = (),
        refused: Iterable[Message] = (),
        heads_of: HeadsOf = no_heads,
    ) -> None:
        """``auctions`` are the ids to bid in, or None for all that the house lists, now and later.

        ``strategy`` makes the strategy for an auction once its terms are known; ``nonces`` yields 16 fresh bytes for
        each joining. ``earlier`` are the bids (:attr:`BidPlaced.message`), in the wallet's currency, that an earlier
        run of this identity made and of which it kept no answer: they bind the wallet until it is known what became
        of them, and in ``auctions`` they are sent again. ``refused`` are those that the house rejected, and might yet
        accept: they bind, and are not pressed. Without them a restarted agent cannot know what its predecessor had in
        flight. Raises ConfigurationError for no auctions, and for a bid that is not ours.
        """
        if auctions is not None and not auctions:
            raise ConfigurationError("no auction to bid in", hint="name at least one, or all of them with --all")
        self.wallet = wallet
        self.follower = Follower(key, house, "bidder", heads_of)
        self._key = key
        self._me = key.identity.signing
        self._house = house
        self._make_strategy = strategy
        self._rng = rng
        self._nonces = nonces
        self._experience = Experience()
        self._chosen = None if auctions is None else frozenset(auctions)
        self._uncounted: set[bytes] | None = set()
        """The auctions of which it is not known what they tie up, while that is so of any; then None for ever."""
        self._seats: dict[bytes, Seat] = {}
        self._open: dict[bytes, Seat] = {}
        self._outgoing: list[Message] = []
        self._notices: list[AgentNotice] = []
        self._senders: dict[bytes, Seat] = {}
        self.outcomes: dict[bytes, Outcome] = {}
        """Auction → how it ended, by its verified log; or unknown, where the house serves that no more."""
        for message in refused:
            bid, seat = self._recalled(message)
            self._senders[seat.recall(bid, message).id] = seat
        for message in earlier:
            bid, seat = self._recalled(message)
            take_on = seat.take_up if self._is_wanted(bid.auction) else seat.recall
            self._senders[take_on(bid, message).id] = seat
        for auction in self._chosen or ():
            self._seat(auction, 0)
        self.follower.follow(set(self._seats), 0)
        self.follower.follow_registry(0)
        if auctions is None:
            self.follower.follow_all()

    @property
    def is_done(self) -> bool:
        """Whether all chosen auctions have ended, and their verified logs say so or are gone; of none it never is."""
        running = (seat.outcome is None and self._is_wanted(seat.id) for seat in self._open.values())
        return bool(self.outcomes) and not any(running)

    @property
    def is_welcome(self) -> bool:
        """Whether the house has answered our hello, on this connection."""
        return self.follower.is_welcome

    def can_bid(self, auction: bytes, now_ns: int) -> bool:
        """Whether :meth:`place` would send a bid now."""
        seat = self._open.get(auction)
        if seat is None or self._uncounted is not None or not self.follower.is_welcome:
            return False
        return seat.can_bid(now_ns + self.follower.house_ahead_ns)

    def place(self, auction: bytes, amount_minor: int, now_ns: int) -> None:
        """Bid exactly this, whatever the strategy says, and the rules will say. Only while :meth:`can_bid`.

        Raises LocalProtocolError for more than the wallet has.
        """
        seat = self._open[auction]
        self._place(seat, amount_minor, now_ns)
        self._transmit(seat, now_ns)

    def look_again(self, auction: bytes, now_ns: int) -> None:
        """Ask the strategy of ``auction`` anew at the next :meth:`handle_timer`: what it waited for has come."""
        if (seat := self._open.get(auction)) is not None:
            seat.look_again(now_ns)

    # The shell's moves, as a Follower has them

    def connected(self, nonce: bytes, now_ns: int) -> None:
        """The transport is up (again): greet. ``nonce`` is 16 fresh bytes."""
        self.follower.connected(nonce, now_ns)
        self._outgoing.clear()
        for seat in self._open.values():
            seat.is_current = False

    def disconnected(self) -> None:
        """The transport is down: nothing is heard until :meth:`connected`."""
        self.follower.disconnected()
        self._outgoing.clear()

    def needs_hello(self, now_ns: int) -> bool:
        """Whether to greet again, by :meth:`connected`."""
        return self.follower.needs_hello(now_ns)

    def say_bye(self) -> None:
        """Tell the house that this session ends. What was bid stays bid."""
        self.follower.say_bye()

    def take_outgoing(self) -> list[Message]:
        """What has to be sent now, in order. A bid is not among it before its :class:`BidPlaced` has been taken."""
        untold = {notice.message for notice in self._notices if isinstance(notice, BidPlaced)}
        outgoing = [message for message in self._outgoing if message not in untold]
        self._outgoing = [message for message in self._outgoing if message in untold]
        return self.follower.take_outgoing() + outgoing

    def take_notices(self) -> list[AgentNotice]:
        """What happened since the last call, for instance in :meth:`handle_timer`; :meth:`receive` returns it too."""
        notices, self._notices = self._notices, []
        return notices

    def receive(self, message: Message, now_ns: int) -> list[AgentNotice]:
        """What one message of the house means, and what was done about it.

        Raises what a Follower raises; VerificationError also for a receipt or rejection that does not hold;
        ConfigurationError for a chosen auction in which we cannot bid, or that the strategy has no parameters for.
        """
        for notice in self.follower.receive(message, now_ns):
            match notice:
                case Welcomed():
                    self._notices.append(notice)
                    self._welcomed(now_ns)
                case Listed():
                    self._notices.append(notice)
                    if self._chosen is None:
                        self._listed(notice, now_ns)
                case Advanced():
                    self._notices.append(notice)
                    self._advanced(notice, now_ns)
                case Receipts():
                    self._receipted(notice, now_ns)
                case Rejections():
                    for rejection in check_rejections(self._house, notice):
                        self.follower.house_is_at(rejection.time_ns, now_ns)
                        self._rejected(rejection, now_ns)
                case Refused():
                    self._notices.append(notice)
                    self._refused(notice, now_ns)
                case RegistryAdvanced() | Stamped() | ClockOff():
                    self._notices.append(notice)
                case Condition() | Measures():
                    pass  # An agent asks for none.
                case _:
                    assert_never(notice)
        return self.take_notices()

    def get_timer(self) -> int | None:
        """When :meth:`handle_timer` should be called, or None."""
        timer_ns = self.follower.get_timer()
        if timer_ns is None or not self.follower.is_welcome:
            return timer_ns
        ahead_ns = self.follower.house_ahead_ns
        seats_ns = min((seat.next_at_ns(ahead_ns) for seat in self._open.values()), default=timer_ns)
        return min(timer_ns, seats_ns)

    def handle_timer(self, now_ns: int) -> None:
        """Do what is due; see :meth:`take_notices`."""
        self.follower.handle_timer(now_ns)
        if not self.follower.is_welcome:
            return
        for seat in self._open.values():
            if seat.ask_at_ns is not None and seat.ask_at_ns <= now_ns:
                self._act(seat, now_ns)
            self._transmit(seat, now_ns)

    # What the house says

    def _seat(self, auction: bytes, now_ns: int) -> Seat:
        seat = self._seats.get(auction)
        if seat is None:
            replica = self.follower.replica(auction)
            seat = self._seats[auction] = self._open[auction] = Seat(self._key, replica, self.wallet, self._experience)
            seat.read_at_ns = now_ns + QUIET_NS
            if self._uncounted is not None:
                self._uncounted.add(auction)
        return seat

    def _recalled(self, message: Message) -> tuple[Bid, Seat]:
        bid = decode_bid(message.body)
        if (bid.bidder, bid.house, bid.currency) != (self._me, self._house.signing, self.wallet.budget.currency):
            raise ConfigurationError("a bid of an earlier run is not ours, or for another house or currency")
        return bid, self._seat(bid.auction, 0)

    def _is_wanted(self, auction: bytes) -> bool:
        """Whether we are to bid there; where we are not, an earlier run did."""
        return self._chosen is None or auction in self._chosen

    def _welcomed(self, now_ns: int) -> None:
        if self._chosen is not None and not self.follower.catalogue:
            # Its announcements are what the registry is held against.
            self.follower.list_auctions(now_ns)
        for seat in self._open.values():
            seat.read_at_ns = now_ns + seat.quiet_ns
            seat.greeted(now_ns, self.follower.house_ahead_ns)
            self._transmit(seat, now_ns)

    def _listed(self, listed: Listed, now_ns: int) -> None:
        # All of them first: each may tie something up, also where another is known already.
        for seat in [self._seat(auction, now_ns) for auction in listed.auctions]:
            self._count(seat, now_ns)

    def _count(self, seat: Seat, now_ns: int) -> None:
        """Nothing is bid before it is known what every auction ties up: an earlier run may have bid in any of them."""
        if self._uncounted is None:
            return
        if seat.is_skipped or seat.was_current or seat.id not in self._open:
            self._uncounted.discard(seat.id)
        if not self._uncounted and (self._chosen is not None or self.follower.catalogue):
            self._uncounted = None
            for each in self._open.values():
                self._act(each, now_ns)

    def _advanced(self, notice: Advanced, now_ns: int) -> None:
        seat = self._open.get(notice.auction)
        if seat is None:
            return
        seat.read_at_ns = now_ns + seat.quiet_ns
        seat.is_current = notice.is_current
        seat.add(notice.applied)
        before_minor = self.wallet.committed_minor
        for applied in seat.take_verified():
            self._settle(seat, applied)
        if seat.is_current and not seat.was_current:
            seat.was_current = True
            if (resumed := seat.resume()) is not None:
                self._notices.append(resumed)
        if seat.is_current and not seat.is_skipped:
            self._turned(seat)
        self._released(seat, before_minor, now_ns)
        self._count(seat, now_ns)

    def _turned(self, seat: Seat) -> None:
        """What the whole, verified log says of a pause, or of the sale once bidding is over."""
        turned = seat.turn_pause() if seat.outcome is None else seat.settle()
        if turned is not None:
            self._notices.append(turned)
        if seat.outcome is not None:
            self.outcomes[seat.id] = seat.outcome
            if seat.replica.replay.state.is_final:
                self._open.pop(seat.id, None)

    def _released(self, seat: Seat, before_minor: int, now_ns: int) -> None:
        """Act on what is new here, and elsewhere if money has become free."""
        if not seat.is_over:
            seat.release_void()
        seats = list(self._open.values()) if self.wallet.committed_minor < before_minor else [seat]
        for concerned in seats:
            self._act(concerned, now_ns)

    def _settle(self, seat: Seat, applied: Applied) -> None:
        """One verified entry, in the order of the log."""
        if seat.is_skipped:
            return
        match applied.fact:
            case Terms() as terms:
                self._meet(seat, terms)
            case Join(bidder=bidder) if bidder == self._me:
                self._prove(seat, seat.own_join(applied), applied)
            case Bid(bidder=bidder) as bid if bidder == self._me:
                self._prove(seat, seat.own_bid(bid, applied), applied)
            case Bid() as bid:
                if seat.others_bid() is not None:
                    self._notices.append(Outbid(seat.id, bid.amount_minor, bid.bidder))
            case Closed() | Cancelled() | Cancel() as event:
                self.outcomes[seat.id] = outcome = seat.end(event)
                self._notices.append(Ended(seat.id, outcome))
            case Pause() | Paused() | Resume() | Resumes() as fact:
                seat.noticed(fact)
            case _:
                pass

    def _meet(self, seat: Seat, terms: Terms) -> None:
        if not self._is_wanted(seat.id):
            return
        reason = refuse_terms(terms, self._me, self.wallet.budget.currency)
        if reason is None:
            self.wallet.meet(seat.id, terms)
            seat.take_part(self._make_strategy(terms))
            return
        if self._chosen is not None:
            raise ConfigurationError(f"auction {seat.id.hex()[:12]}…: {reason}", hint="leave it out")
        seat.is_skipped = True
        self._experience.leave(seat.id)
        self._open.pop(seat.id)
        self._notices.append(Skipped(seat.id, reason))

    def _prove(self, seat: Seat, command: Command | None, applied: Applied) -> None:
        """Our own entry under a verified checkpoint is as good as the house's receipt, which may never come."""
        if command is not None and not command.is_reported:
            self._report(seat, command, prove_from_replica(seat.replica, command.id, applied))

    def _report(self, seat: Seat, command: Command, evidence: Evidence) -> None:
        command.is_reported = True
        if command.kind is Kind.JOINED:
            self._notices.append(Joined(seat.id, evidence))
        else:
            self._notices.append(BidAccepted(seat.id, command.id, command.seq, command.amount_minor, evidence))

    def _receipted(self, receipts: Receipts, now_ns: int) -> None:
        """Receipts of commands that this run did not send concern nobody here."""
        seat = self._seats.get(receipts.auction)
        if seat is None:
            return
        for receipted in receipts.receipts:
            command = seat.sent.get(receipted.command)
            if command is None:
                continue
            evidence, checkpoint = check_receipt(self._house, seat.replica, command, receipted, receipts.checkpoint)
            self._hold(seat, Head(checkpoint.size, checkpoint.root, receipts.checkpoint))
            if not command.is_reported:
                self._report(seat, command, evidence)
            if receipted.index >= seat.replica.size:
                # The feed comes before the receipt: it was lost, and the log has to be read.
                seat.read_at_ns = now_ns
            command.send_at_ns = now_ns + QUIET_NS
        if not seat.is_over:
            self._transmit(seat, now_ns)

    def _hold(self, seat: Seat, head: Head) -> None:
        """The house signed this head in a receipt: it must be a head of the log that the feed brings, or it forked."""
        try:
            seat.replica.hold(head)
        except HistoryChangedError as error:
            self.follower.remind(error)
            raise

    def _rejected(self, rejection: Rejection, now_ns: int) -> None:
        seat = self._seats.get(rejection.auction)
        command = None if seat is None else seat.sent.get(rejection.command)
        if seat is None or command is None:
            return
        if not seat.is_over:
            check_judgement(seat.replica, command, rejection)
        seat.judged(command, rejection.log_size, rejection.time_ns)
        if seat.is_over and command.kind is Kind.BID:
            return
        if seat.refuse(command, now_ns + self.follower.house_ahead_ns, now_ns):
            rule = _RULES.get(rejection.code, rejection.code)
            if command.kind is Kind.JOINED:
                self._notices.append(JoinRejected(seat.id, rule, rejection))
                if seat.keeps_out(rejection):
                    self._lose_sight(seat, Result.REFUSED, rejection.code, now_ns)
                    return
            else:
                self._notices.append(
                    BidRejected(seat.id, command.id, command.seq, command.amount_minor, rule, rejection)
                )
            # Against a hot loop: think again with more of the log than the command was made with, or later.
            seat.hold_until_ns = 0 if seat.replica.size > command.head_size else now_ns + HOLD_NS
        self._released(seat, self.wallet.committed_minor, now_ns)

    def _refused(self, refused: Refused, now_ns: int) -> None:
        """A command never reached the rules: the same bytes again, later. A log that is gone does not come back."""
        seat = self._senders.get(refused.command)
        if refused.code == "halted" and (halted := seat or self._open.get(refused.command)) is not None:
            self._lose_sight(halted, Result.HALTED, HALTED, now_ns)
        if refused.code == "no_such_auction" and (gone := self._open.get(refused.command)) is not None:
            self._lose_sight(gone, Result.UNKNOWN, ARCHIVED, now_ns)
        if seat is not None:
            pause_ns = min(refused.retry_after_ns, MAX_BUSY_NS) or RETRY_NS
            seat.sent[refused.command].send_at_ns = now_ns + pause_ns

    def _lose_sight(self, seat: Seat, result: Result, end_reason: str, now_ns: int) -> None:
        """Nothing more will come of this log. Where its end was seen, that stands."""
        self._open.pop(seat.id, None)
        if not seat.is_over:
            self.outcomes[seat.id] = outcome = seat.lose_sight(result, end_reason)
            self._notices.append(Ended(seat.id, outcome))
        self._count(seat, now_ns)

    # What we do

    def _act(self, seat: Seat, now_ns: int) -> None:
        if not (self.follower.is_welcome and seat.is_current):
            return
        if seat.is_over:
            if seat.unanswered is None and seat.id in self._open and seat.owes_presence:
                self._join(seat, now_ns)
        elif seat.unanswered is None and seat.strategy is not None:
            seat.ask_at_ns = None
            if now_ns < seat.hold_until_ns:
                seat.ask_at_ns = seat.hold_until_ns
            elif seat.is_present:
                self._bid(seat, now_ns)
            else:
                self._join(seat, now_ns)
        self._transmit(seat, now_ns)

    def _join(self, seat: Seat, now_ns: int) -> None:
        house_ns = now_ns + self.follower.house_ahead_ns
        if house_ns < (seat.replica.replay.state.get_timer() or 0):
            ppm = self.follower.registry.replay.state.reputations.ppm(self._me, house_ns)
            self._senders[seat.sign_join(next(self._nonces), ppm, house_ns, now_ns).id] = seat

    def _bid(self, seat: Seat, now_ns: int) -> None:
        if self._uncounted is not None:
            return
        ahead_ns = self.follower.house_ahead_ns
        answer = seat.ask(now_ns + ahead_ns, self.follower.round_trip_ns, self._rng)
        if isinstance(answer, Offer):
            self._place(seat, answer.amount_minor, now_ns)
            return
        if (waiting := seat.waiting(answer, now_ns + ahead_ns)) is not None:
            self._notices.append(waiting)
        if answer.until_ns is not None:
            seat.ask_at_ns = max(answer.until_ns - ahead_ns, now_ns + MIN_WAIT_NS)

    def _place(self, seat: Seat, amount_minor: int, now_ns: int) -> None:
        command = seat.sign_bid(amount_minor, now_ns + self.follower.house_ahead_ns, now_ns)
        self._senders[command.id] = seat
        self._notices.append(
            BidPlaced(seat.id, command.id, command.seq, command.amount_minor, command.not_after_ns, command.message)
        )

    def _transmit(self, seat: Seat, now_ns: int) -> None:
        if not self.follower.is_welcome:
            return
        for command in seat.due_commands(now_ns):
            command.send_at_ns = now_ns + RETRY_NS
            self._outgoing.append(command.message)
        if seat.read_due_ns(self.follower.house_ahead_ns) <= now_ns:
            seat.read_at_ns = now_ns + seat.quiet_ns
            self._outgoing.append(Message(encode(Read(seat.id, seat.replica.size))))
