"""A bidder's place in one auction: what was sent there, what came of it, and when to act again.

Its rule: bookkeeping follows the verified log in its order (:meth:`Seat.take_verified`), never an answer alone. Times
called ``*_at_ns`` are this machine's, all others the house's.
"""

from __future__ import annotations

import random
from typing import Final

import msgspec
from msgspec.structs import replace

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join, encode_bid, encode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import Cancel, Pause, Resume
from auctionctl.auction.events import Cancelled, Closed, Paused
from auctionctl.auction.events import Resumed as Resumes
from auctionctl.auction.phase import EndReason, Phase, Stage
from auctionctl.auction.price import MAX_MINOR
from auctionctl.auction.rejection import Code
from auctionctl.auction.terms import SECOND_NS, Terms
from auctionctl.bidding.experience import Experience
from auctionctl.bidding.notices import (
    AcceptedBid,
    AuctionContinued,
    AuctionPaused,
    Outcome,
    PausedBy,
    Result,
    Resumed,
    SaleTurned,
    Waiting,
    WaitReason,
)
from auctionctl.bidding.outlook import look
from auctionctl.bidding.strategy import Asking, Failed, Offer, Strategy, Wait
from auctionctl.bidding.tape import BidTape
from auctionctl.bidding.wallet import VOID_MARGIN_NS, Wallet
from auctionctl.errors import VerificationError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.replay import Applied
from auctionctl.replica.replica import Replica
from auctionctl.tlog.entry import Kind
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.messages import Rejection

RETRY_NS: Final = SECOND_NS
"""How long an unanswered command waits before the same bytes are sent again."""
QUIET_NS: Final = 3 * SECOND_NS
"""A log of which nothing has come for so long is read: what was lost may have been its last entry."""

SETTLING_QUIET_NS: Final = 15 * SECOND_NS
"""As QUIET_NS, once bidding is over: what follows is a matter of days."""

MAX_RESTATEMENTS: Final = 5
"""How often in a row a joining is signed anew because the house says that our reputation is another."""

ARCHIVED: Final = "archived"
HALTED: Final = "halted"
"""Stand for the reason of an end that was not seen."""

_OWED: Final = frozenset({Stage.PENDING_PAYMENT, Stage.PAID, Stage.SETTLED})


class Command(msgspec.Struct, eq=False):
    """Something that we signed, and what is known of it. Joinings have seq and amount 0.

    ``head_size`` is how much of the log we knew then, ``rejected_size`` how long it was when the house rejected this.
    """

    id: bytes
    kind: Kind
    message: Message
    not_after_ns: int
    head_size: int
    send_at_ns: int
    seq: int = 0
    amount_minor: int = 0
    is_reported: bool = False
    entry_index: int | None = None
    rejected_size: int = 0

    def check_answers(self) -> None:
        """The house cannot have rejected, with a log of ``rejected_size`` entries, what is one of them."""
        if self.entry_index is not None and self.entry_index < self.rejected_size:
            raise VerificationError("the house rejected what its log holds", rule="rejection", index=self.entry_index)


class Seat:
    """Our place in the auction of ``replica``. ``strategy`` is None until the terms are known."""

    def __init__(self, key: SecretKey, replica: Replica, wallet: Wallet, experience: Experience) -> None:
        self.replica = replica
        self.id = replica.replay.auction_id
        self.strategy: Strategy | None = None
        self.is_current = False
        """Whether, on this connection, everything that the house signed has come in."""
        self.was_current = False
        """Whether it ever was, in this run."""
        self.is_skipped = False
        self.unanswered: Command | None = None
        self.refused: list[Command] = []
        """Bids that were rejected, and may yet be accepted if somebody sends them again."""
        self.sent: dict[bytes, Command] = {}
        self.bids: list[AcceptedBid] = []
        self.leading: Command | None = None
        self.outcome: Outcome | None = None
        self.ask_at_ns: int | None = None
        self.hold_until_ns = 0
        self.read_at_ns = 0
        self.told_ppm: int | None = None
        """Our reputation as the house told it last, if we have not stated that yet."""
        self.restatements = 0
        self._key = key
        self._me = key.identity.signing
        self._wallet = wallet
        self._experience = experience
        self._tape = BidTape()
        self._last_seq = 0
        self._fresh: list[Applied] = []
        self._judged = (0, 0)
        self._turned: SaleTurned | None = None
        self._pause: AuctionPaused | None = None
        self._last_pause = (PausedBy.TERMS, "")
        self._told: Waiting | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do here."""
        return self.is_skipped or self.outcome is not None

    @property
    def is_present(self) -> bool:
        """Whether the log says that we take part."""
        return self._me in self.replica.replay.state.present

    @property
    def needs_reputation(self) -> bool:
        """Whether the terms ask for one."""
        return self.replica.replay.state.terms.rules.min_reputation_ppm > 0

    def keeps_out(self, rejection: Rejection) -> bool:
        """Whether the house, by the rejection of a joining, lets us in no more: what it says of our reputation is it.

        A value that we did not know is stated once more, but not for ever: it may be another each time.
        """
        if rejection.code == Code.WRONG_REPUTATION and self.restatements < MAX_RESTATEMENTS:
            self.restatements += 1
            self.told_ppm = dict(rejection.observed).get("reputation")
            return False
        return rejection.code in (Code.WRONG_REPUTATION, Code.LOW_REPUTATION)

    # What comes in

    def add(self, applied: tuple[Applied, ...]) -> None:
        """Entries that passed the rules; they count once the house has signed for them."""
        self._fresh += applied
        if applied:
            self.hold_until_ns = 0

    def take_verified(self) -> list[Applied]:
        """The entries of :meth:`add` that a verified checkpoint now covers, each once."""
        head = self.replica.head
        if head is None:
            return []
        count = sum(applied.entry_index < head.size for applied in self._fresh)
        verified, self._fresh = self._fresh[:count], self._fresh[count:]
        for applied in verified:
            if isinstance(applied.fact, Bid):
                self._tape.add(applied.fact.bidder, applied.fact.amount_minor, applied.entry.time_ns)
        if verified and self.strategy is not None:
            self._experience.phase(self.id, self.replica.replay.state.phase)
        return verified

    def take_part(self, strategy: Strategy) -> None:
        """We are to bid here, by this strategy."""
        self.strategy = strategy
        self._experience.phase(self.id, self.replica.replay.state.phase)

    def own_bid(self, bid: Bid, applied: Applied) -> Command | None:
        """A verified bid of ours: it leads, and what had its seq or a lower one is decided. Returns what we sent."""
        self.bids.append(AcceptedBid(applied.entry_index, bid.seq, bid.amount_minor, applied.entry.time_ns))
        self._wallet.accepted(self.id, bid.seq, bid.amount_minor)
        self.leading = command = self._found(applied)
        self._drop_decided()
        return command

    def own_join(self, applied: Applied) -> Command | None:
        """A verified joining of ours. Returns what we sent."""
        command = self._found(applied)
        self.restatements = 0
        if self.unanswered is not None and self.unanswered.kind is Kind.JOINED:
            self.unanswered = None
        return command

    def _found(self, applied: Applied) -> Command | None:
        command = self.sent.get(command_id(applied.entry.body))
        if command is not None:
            command.entry_index = applied.entry_index
            command.check_answers()
        return command

    def others_bid(self) -> Command | None:
        """A verified bid of somebody else leads. Returns the bid of ours that led, if we sent it."""
        beaten, self.leading = self.leading, None
        self._wallet.outbid(self.id)
        return beaten

    def end(self, event: Closed | Cancelled | Cancel) -> Outcome:
        """The verified end."""
        price_minor, won = None, False
        end_reason: str = EndReason.CANCELLED
        if isinstance(event, Closed):
            price_minor, won, end_reason = event.price_minor, event.winner == self._me, event.end_reason
            self._experience.close(self.replica.replay.state, self._me)
        result = Result.NO_SALE if price_minor is None else Result.WON if won else Result.LOST
        self._wallet.ended(self.id, price_minor if won else None)
        self.outcome = Outcome(result, end_reason, price_minor, tuple(self.bids))
        self.unanswered = self.ask_at_ns = None
        self.refused.clear()
        return self.outcome

    def lose_sight(self, result: Result, end_reason: str) -> Outcome:
        """The house serves this log no more. What may have to be paid here stays tied up: nobody has said otherwise."""
        self.outcome = Outcome(result, end_reason, None, tuple(self.bids))
        self._experience.leave(self.id)
        self.unanswered = self.ask_at_ns = None
        self.refused.clear()
        return self.outcome

    def noticed(self, fact: Pause | Paused | Resume | Resumes) -> None:
        """A verified entry that has the auction stand still, or go on."""
        if isinstance(fact, Pause | Resume):
            self._last_pause = PausedBy.OPERATOR, fact.reason
        else:
            self._last_pause = PausedBy(fact.cause), ""

    def turn_pause(self) -> AuctionPaused | AuctionContinued | None:
        """Whether the auction stands still now, and did not, or the other way round, as far as that was told."""
        auction, before = self.replica.replay.state, self._pause
        cause, words = self._last_pause
        if auction.phase is Phase.PAUSED:
            self._pause = AuctionPaused(self.id, cause, words, auction.pauses.end_by_ns())
            return self._pause if before is None else None
        self._pause = None
        if before is None or auction.phase is not Phase.OPEN:
            return None
        return AuctionContinued(self.id, cause, words, auction.end_ns)

    def settle(self) -> SaleTurned | None:
        """What the verified log says of the sale now, once bidding is over; and whether that is news that concern us.

        The wallet follows it.
        """
        auction = self.replica.replay.state
        settlement = auction.settlement
        assert self.outcome is not None
        if settlement is None:
            return None
        stage, price_minor, buyer = settlement.stage, settlement.price_minor, settlement.debtor
        by_ns = settlement.due_ns if stage is Stage.PENDING_PAYMENT else None
        self._wallet.owes(self.id, price_minor if stage in _OWED and buyer == self._me else 0)
        self.outcome = replace(self.outcome, stage=stage, due_ns=by_ns if buyer == self._me else None)
        self.outcome = replace(self.outcome, result=self._result(auction), end_reason=str(auction.end_reason))
        self.outcome = replace(self.outcome, price_minor=None if auction.sale is None else auction.sale.price_minor)
        if stage is Stage.OFFERED and settlement.next_bidder is not None:
            buyer, (price_minor, _) = settlement.next_bidder
            by_ns = settlement.stage_by_ns
        before, turned = self._turned, SaleTurned(self.id, stage, buyer == self._me, price_minor, by_ns)
        self._turned = turned
        concerns_us = turned.is_ours or (before is not None and before.is_ours)
        return turned if concerns_us and turned != before else None

    def _result(self, auction: Auction) -> Result:
        if auction.sale is not None:
            return Result.WON if auction.sale.leader == self._me else Result.LOST
        return Result.NO_SALE if auction.is_final else Result.LOST

    @property
    def owes_presence(self) -> bool:
        """Whether we have bought the lot, are to be there until we have paid, and the log says that we are not."""
        return self.replica.replay.state.takes_debtor(self._me) and not self.is_present

    def judged(self, command: Command, log_size: int, time_ns: int) -> None:
        """The house signed that at ``time_ns`` it had accepted what stands below ``log_size``, but not ``command``.

        Raises VerificationError if the log says otherwise, now or once it has come so far.
        """
        command.rejected_size = max(command.rejected_size, log_size)
        command.check_answers()
        self._judged = max(self._judged, (log_size, time_ns))

    def release_void(self) -> None:
        """Let the wallet forget the bids that the verified log, or a signed rejection, proves to be void."""
        if not self.replica.is_verified:
            return
        known_ns = self.replica.replay.state.last_time_ns
        log_size, time_ns = self._judged
        if log_size <= self.replica.size:
            known_ns = max(known_ns, time_ns)
        self._wallet.expire(self.id, known_ns)
        self._drop_decided()

    def _drop_decided(self) -> None:
        command = self.unanswered
        if command is not None and command.kind is Kind.BID and not self._wallet.is_undecided(self.id, command.id):
            self.unanswered = None
        self.refused = [command for command in self.refused if self._wallet.is_undecided(self.id, command.id)]

    # What goes out

    def ask(self, house_ns: int, round_trip_ns: int, rng: random.Random) -> Offer | Wait:
        """What the strategy says now; an offer that rules or wallet would not allow is none."""
        auction = self.replica.replay.state
        if self.strategy is None or auction.phase is not Phase.OPEN or house_ns >= auction.end_ns:
            return Wait()
        view = look(auction, self._me, self._tape, self._experience, round_trip_ns)
        purse = self._wallet.purse(self.id)
        answer = self.strategy.decide(view, purse, house_ns, rng)
        if isinstance(answer, Offer) and (
            view.is_leading or not view.minimum_minor <= answer.amount_minor <= purse.available_minor
        ):
            return Wait()
        return answer

    def look_again(self, now_ns: int) -> None:
        """Ask the strategy anew from ``now_ns`` on; while a bid is under way, that happens once it is decided."""
        if self.strategy is not None and self.unanswered is None and not self.is_over:
            self.ask_at_ns = now_ns

    def waiting(self, answer: Wait, house_ns: int) -> Waiting | None:
        """Why there is no bid, if that is news: it is told again only when the reason is another, or we have bid."""
        auction = self.replica.replay.state
        if auction.phase is Phase.ANNOUNCED and not auction.is_ready_to_open:
            joined = (("joined", len(auction.present)), ("needed", auction.terms.rules.min_bidders))
            return self._news(Waiting(self.id, WaitReason.BIDDERS, joined))
        standing = auction.standing
        is_leading = standing is not None and standing.leader == self._me
        if auction.phase is not Phase.OPEN or is_leading or house_ns >= auction.end_ns:
            return None
        minimum, available_minor = ("minimum", auction.minimum_minor), self._wallet.available_minor(self.id)
        if auction.minimum_minor > MAX_MINOR:
            return self._news(Waiting(self.id, WaitReason.LIMIT, (minimum,)))
        if available_minor < auction.minimum_minor:
            reason = WaitReason.CAP if self._wallet.is_capped(self.id) else WaitReason.BUDGET
            return self._news(Waiting(self.id, reason, (minimum, ("available", available_minor))))
        if isinstance(answer, Asking):
            return None
        if answer.until_ns is not None and not isinstance(answer, Failed):
            return self._news(Waiting(self.id, WaitReason.PATIENCE, (("until", answer.until_ns),)))
        reason = WaitReason.FAILED if isinstance(answer, Failed) else WaitReason.VALUE
        return self._news(Waiting(self.id, reason, (minimum,)))

    def _news(self, waiting: Waiting) -> Waiting | None:
        before, self._told = self._told, waiting
        is_same = before is not None and before.reason is waiting.reason
        return None if is_same and (before == waiting or waiting.reason is not WaitReason.BIDDERS) else waiting

    @property
    def quiet_ns(self) -> int:
        """How long nothing may come of this log before it is read."""
        return QUIET_NS if self.outcome is None else SETTLING_QUIET_NS

    def resume(self) -> Resumed | None:
        """What an earlier run has left here; to be asked once, before anything is sent."""
        if self.is_over or not self.bids:
            return None
        standing = self.replica.replay.state.standing
        return Resumed(self.id, tuple(self.bids), standing is not None and standing.leader == self._me)

    def can_bid(self, house_ns: int) -> bool:
        """Whether a bid may be signed now: the log is all there, we are in it, it is open, and nothing is under way."""
        auction = self.replica.replay.auction
        is_open = auction is not None and auction.phase is Phase.OPEN and house_ns < auction.end_ns
        return is_open and self.is_current and self.is_present and self.unanswered is None

    def sign_bid(self, amount_minor: int, house_ns: int, now_ns: int) -> Command:
        """A bid under the next seq, tied up in the wallet before it exists for anybody else. LocalProtocolError."""
        auction, head = self.replica.replay.state, self.replica.head
        assert head is not None
        # Also past what an earlier run used, as far as the log has it.
        seq = 1 + max(self._last_seq, auction.seqs.get(self._me, 0))
        rules = auction.terms.rules
        not_after_ns = house_ns + rules.bid_timeout_ns // 2
        bid = Bid(
            auction.terms.house,
            self.id,
            self._me,
            seq,
            amount_minor,
            rules.currency,
            house_ns,
            not_after_ns,
            head.size,
            head.root,
        )
        message = sign_body(self._key, encode_bid(bid))
        command = Command(
            command_id(message.body), Kind.BID, message, not_after_ns, head.size, now_ns, seq, amount_minor
        )
        self._wallet.commit(self.id, command.id, seq, amount_minor, not_after_ns)
        self._last_seq = seq
        self._told = None
        self.sent[command.id] = self.unanswered = command
        return command

    def sign_join(self, nonce: bytes, reputation_ppm: int, house_ns: int, now_ns: int) -> Command:
        """A joining under a fresh 16-byte nonce. ``reputation_ppm`` is ours as we know it, unless we were told."""
        auction = self.replica.replay.state
        not_after_ns = house_ns + auction.terms.rules.bid_timeout_ns // 2
        told_ppm, self.told_ppm = self.told_ppm, None
        stated_ppm = (reputation_ppm if told_ppm is None else told_ppm) if self.needs_reputation else 0
        join = Join(auction.terms.house, self.id, self._me, nonce, house_ns, not_after_ns, stated_ppm)
        message = sign_body(self._key, encode_join(join))
        command = Command(command_id(message.body), Kind.JOINED, message, not_after_ns, self.replica.size, now_ns)
        self.sent[command.id] = self.unanswered = command
        return command

    def recall(self, bid: Bid, message: Message) -> Command:
        """A bid that an earlier run sent and of which it saw no answer: it binds us as if we had sent it now.

        It is not sent before ``not_after`` has passed; the answer then proves what became of it.
        """
        command = Command(
            command_id(message.body), Kind.BID, message, bid.not_after_ns, bid.head_size, 0, bid.seq, bid.amount_minor
        )
        self._wallet.recall(self.id, command.id, bid.seq, bid.amount_minor, bid.not_after_ns)
        self._last_seq = max(self._last_seq, bid.seq)
        self.sent[command.id] = command
        self._refuse(command)
        return command

    def take_up(self, bid: Bid, message: Message) -> Command:
        """As :meth:`recall`, in an auction that we still want: the last such bid is sent again, until it is answered.

        No other bid is made before that.
        """
        command = self.recall(bid, message)
        if self.unanswered is None or self.unanswered.seq < command.seq:
            if self.unanswered is not None:
                self._refuse(self.unanswered)
            self.refused.remove(command)
            self.unanswered = command
        return command

    def _refuse(self, command: Command) -> None:
        self.refused = sorted([*self.refused, command], key=lambda refused: refused.not_after_ns)

    def greeted(self, now_ns: int, ahead_ns: int) -> None:
        """The house hears us (again): what it owes an answer to is due, and what may be void once that can be told."""
        if self.unanswered is not None:
            self.unanswered.send_at_ns = now_ns
        for command in self.refused:
            command.send_at_ns = max(now_ns, command.not_after_ns + VOID_MARGIN_NS + 1 - ahead_ns)

    def refuse(self, command: Command, house_ns: int, now_ns: int) -> bool:
        """The house rejected ``command``; whether that is news. A bid is kept: until ``not_after`` it may be accepted.

        It is sent once more when that has passed by the margin: the answer then proves that it is void.
        """
        command.send_at_ns = now_ns + max(RETRY_NS, command.not_after_ns + VOID_MARGIN_NS + 1 - house_ns)
        if self.unanswered is not command:
            return False
        self.unanswered = None
        if command.kind is Kind.BID:
            self._refuse(command)
        return True

    def due_commands(self, now_ns: int) -> list[Command]:
        """What has to be sent (again) now."""
        waiting = [command for command in (self.unanswered, *self.refused[-1:]) if command is not None]
        return [command for command in waiting if command.send_at_ns <= now_ns]

    def next_at_ns(self, ahead_ns: int) -> int:
        """When there is something to do here, on this machine's clock; ``ahead_ns`` is how far the house's is ahead."""
        times = [command.send_at_ns for command in (self.unanswered, *self.refused[-1:]) if command is not None]
        times.append(self.read_due_ns(ahead_ns))
        if self.ask_at_ns is not None and self.is_current:
            times.append(self.ask_at_ns)
        return min(times)

    def read_due_ns(self, ahead_ns: int) -> int:
        """When the log should be read although nothing came: after a silence, and soon after its deadline."""
        deadline_ns = None if self.replica.replay.auction is None else self.replica.replay.state.get_timer()
        if deadline_ns is None:
            return self.read_at_ns
        last_read_ns = self.read_at_ns - self.quiet_ns
        return max(min(self.read_at_ns, deadline_ns - ahead_ns + SECOND_NS), last_read_ns + SECOND_NS)


def refuse_terms(terms: Terms, me: bytes, currency: str) -> str | None:
    """Why we cannot take part in an auction under these terms, or None."""
    if terms.rules.currency != currency:
        return f"it is held in {terms.rules.currency}, and the budget is in {currency}"
    if terms.seller == me:
        return "we are its seller"
    return None
