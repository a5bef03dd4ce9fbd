"""One bid, and what comes of it: join if need be, wait for the opening, bid once, wait for receipt or rejection.

Rule: exactly one bid is made, of exactly the amount asked for; it ends with a proof, a signed refusal, or a plain word
on what is not known. Nothing is bid after an end was told. Source: DESIGN.md section 8, client rule.

A run that was cut short may have made that bid already. It is then sent again first, as the same bytes; if it is
accepted, and was not of another amount than is asked for now, it is the one bid, and no second one is made.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Iterator
from typing import Final, assert_never

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join, decode_bid
from auctionctl.auction.command_id import command_id
from auctionctl.auction.events import Opened
from auctionctl.auction.phase import Phase
from auctionctl.auction.price import MAX_MINOR, Money, format_minor
from auctionctl.auction.rejection import Refusal
from auctionctl.auction.terms import SECOND_NS, Terms
from auctionctl.bidding.agent import Agent
from auctionctl.bidding.caps import CapOf, no_cap
from auctionctl.bidding.notices import (
    AgentNotice,
    BidAccepted,
    BidPlaced,
    BidRejected,
    JoinRejected,
    Outcome,
    Result,
)
from auctionctl.bidding.strategy import AuctionView, Purse, Wait
from auctionctl.bidding.wallet import VOID_MARGIN_NS, Wallet
from auctionctl.errors import MoneyError, RefusedError
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.replica.replica import HeadsOf, Replica, no_heads
from auctionctl.wire.frames import Message

ANSWER_GRACE_NS: Final = SECOND_NS
FEED_PATIENCE_NS: Final = 2 * SECOND_NS
"""How long, once a receipt is there, the log itself is waited for: only it shows who leads."""
LOG_PATIENCE_NS: Final = 10 * SECOND_NS
"""How long, beyond the wait for an opening, the house may take to say how its log stands."""


class Exactly(msgspec.Struct, frozen=True):
    """This amount, in minor units."""

    minor: int


class Above(msgspec.Struct, frozen=True):
    """So much more than the price; before the first bid, than the starting price."""

    minor: int


class Least(msgspec.Struct, frozen=True):
    """The least acceptable amount."""


Amount = Exactly | Above | Least


def amount_minor(amount: Amount, auction: Auction) -> int:
    """What to bid as ``auction`` stands.

    Raises MoneyError for more than the largest amount, and RefusedError where the least bid itself would be more.
    """
    match amount:
        case Exactly(minor):
            return minor
        case Above(minor):
            rules, standing = auction.terms.rules, auction.standing
            price_minor = rules.starting_price_minor if standing is None else standing.price_minor
            if price_minor + minor > MAX_MINOR:
                raise MoneyError(f"that is more than the largest amount, {format_minor(MAX_MINOR, rules.currency)}")
            return price_minor + minor
        case Least():
            check_possible(auction.minimum_minor, auction.terms.rules.currency)
            return auction.minimum_minor
        case _:
            assert_never(amount)


def check_cap(minor: int, terms: Terms, cap_of: CapOf) -> None:
    """Raise MoneyError for a bid that is more than what may be bid under ``terms``."""
    cap_minor = cap_of(terms)
    if cap_minor is not None and minor > cap_minor:
        asked, cap = (format_minor(each, terms.rules.currency) for each in (minor, cap_minor))
        raise MoneyError(
            f"a bid of {asked}, where {cap} is this auction's cap",
            hint="nothing was bid; the cap is --max-per-auction, max_per_auction, or [caps] in config.toml",
        )


def check_possible(minor: int, currency: str) -> None:
    """Raise RefusedError for a bid of more than the largest amount: no such bid can be written, whatever the terms."""
    if minor > MAX_MINOR:
        raise RefusedError(
            f"a bid would have to be {format_minor(minor, currency)}, and the largest amount is"
            f" {format_minor(MAX_MINOR, currency)}",
            hint="under its terms nobody can bid in this auction any more; whoever leads wins it at its end",
        )


def judge(auction: Auction, bidder: bytes, minor: int, now_ns: int, reputation_ppm: int = 0) -> Refusal | None:
    """What the rules would say at ``now_ns`` to a bid of ``minor`` by ``bidder``, who would join first if need be.

    ``reputation_ppm`` is the bidder's, which it states where the terms ask for one.

    ``auction`` is left as it is. Raises RefusedError where they say nothing, and no such bid can be written.
    """
    trial = copy.deepcopy(auction)
    now_ns = max(now_ns, trial.last_time_ns)
    terms, seq = trial.terms, trial.seqs.get(bidder, 0) + 1
    if bidder not in trial.present:
        stated_ppm = reputation_ppm if terms.rules.min_reputation_ppm else 0
        join = Join(terms.house, trial.id, bidder, bytes(16), now_ns, now_ns, stated_ppm)
        if (refusal := trial.decide_join(join, now_ns)) is not None:
            return refusal
        trial.apply_join(join, now_ns)
    if trial.is_ready_to_open:
        trial.apply(Opened(), trial.last_time_ns)
    bid = Bid(terms.house, trial.id, bidder, seq, minor, terms.rules.currency, now_ns, now_ns)
    refusal = trial.decide_bid(bid, now_ns)
    if refusal is None:
        check_possible(minor, terms.rules.currency)
    return refusal


class Accepted(msgspec.Struct, frozen=True):
    """It is in the log. ``is_leading`` is None where the log itself has not come in time; an earlier run made it, or
    this one."""

    notice: BidAccepted
    is_leading: bool | None
    is_earlier: bool


class Rejected(msgspec.Struct, frozen=True):
    """The house, signing for it, refused the bid, or to let us take part."""

    notice: BidRejected | JoinRejected


class Over(msgspec.Struct, frozen=True):
    """The auction has ended before anything was bid."""

    outcome: Outcome


class NotOpened(msgspec.Struct, frozen=True):
    """The auction has not opened in time, and nothing was bid; ``joined`` of ``needed`` bidders are there."""

    joined: int
    needed: int


class StandsStill(msgspec.Struct, frozen=True):
    """The auction is paused, until ``resume_by_ns`` at the latest, and nothing was bid."""

    resume_by_ns: int


class NotHeard(msgspec.Struct, frozen=True):
    """The house has fallen silent before anything was bid."""


class Unanswered(msgspec.Struct, frozen=True):
    """The bid was sent, and what came of it is not known. After ``not_after_ns`` it cannot be accepted any more."""

    placed: BidPlaced


class Void(msgspec.Struct, frozen=True):
    """The bid was sent, and the log shows that it did not arrive in time: it was not accepted, and never will be."""

    placed: BidPlaced


class Halted(msgspec.Struct, frozen=True):
    """The house has stopped this auction, as its log is not what it had signed; a bid may have been sent before."""

    placed: BidPlaced | None


Ending = Accepted | Rejected | Over | NotOpened | StandsStill | NotHeard | Unanswered | Void | Halted


class _Silent:
    """The strategy of somebody who decides for himself."""

    def decide(self, view: AuctionView, purse: Purse, now_ns: int, rng: random.Random) -> Wait:  # noqa: ARG002
        """Nothing."""
        return Wait()


def _silent(terms: Terms) -> _Silent:  # noqa: ARG001 - a factory's shape
    return _Silent()


class OneBid(Agent):
    """An agent for one bid in one auction; :attr:`ending` says what came of it. Its shell drives it as any agent."""

    def __init__(
        self,
        key: SecretKey,
        house: Identity,
        auction: bytes,
        amount: Amount,
        *,
        currency: str,
        nonces: Iterator[bytes],
        wait_ns: int,
        earlier: Iterable[Message] = (),
        refused: Iterable[Message] = (),
        heads_of: HeadsOf = no_heads,
        cap_of: CapOf = no_cap,
    ) -> None:
        """``wait_ns`` is how long an auction that has not opened, or is paused, is waited for, once its log is here.

        ``earlier`` are bids that earlier runs made in ``auction``, and of which they kept no answer; ``refused`` those
        that were rejected. Beyond what ``cap_of`` says nothing is bid: MoneyError, once that is known.
        """
        earlier = list(earlier)
        budget = Money(amount.minor if isinstance(amount, Exactly) else MAX_MINOR, currency)
        rng = random.Random(0)  # noqa: S311 - a silent strategy takes no chances
        super().__init__(
            key,
            house,
            strategy=_silent,
            wallet=Wallet(budget),
            rng=rng,
            nonces=nonces,
            auctions=[auction],
            earlier=earlier,
            refused=refused,
            heads_of=heads_of,
        )
        self.ending: Ending | None = None
        self._auction = auction
        self._amount = amount
        self._cap_of = cap_of
        self._wait_ns = wait_ns
        self._opens_by_ns: int | None = None
        self._log_by_ns: int | None = None
        self._wake_ns: int | None = None
        self._placed: BidPlaced | None = None
        self._accepted: BidAccepted | None = None
        self._earlier = {each.command: each for each in map(_placed_earlier, earlier)}

    @property
    def is_done(self) -> bool:
        """Whether there is an :attr:`ending`."""
        return self.ending is not None

    @property
    def replica(self) -> Replica:
        """The auction's log."""
        return self.follower.replicas[self._auction]

    def receive(self, message: Message, now_ns: int) -> list[AgentNotice]:
        """As an agent's; a bid follows as soon as it can."""
        notices = super().receive(message, now_ns)
        self._advance(now_ns)
        return notices + self.take_notices()

    def take_notices(self) -> list[AgentNotice]:
        """As an agent's."""
        notices = super().take_notices()
        for notice in notices:
            match notice:
                case BidPlaced():
                    self._placed = notice
                case BidAccepted() if self._is_ours(notice.command) or self._is_asked_for_now(notice):
                    self._accepted = self._accepted or notice
                case BidRejected() if self._accepted is None and self._is_ours(notice.command):
                    self.ending = self.ending or Rejected(notice)
                case JoinRejected() if notice.rejection.code not in (
                    "expired",
                    "already_joined",
                    "closed",
                    "wrong_reputation",
                ):
                    self.ending = self.ending or Rejected(notice)
                case _:
                    pass
        return notices

    def _is_ours(self, command: bytes) -> bool:
        return self._placed is not None and command == self._placed.command

    def _is_asked_for_now(self, notice: BidAccepted) -> bool:
        """Whether an earlier run made the bid that was to be made."""
        is_other = isinstance(self._amount, Exactly) and notice.amount_minor != self._amount.minor
        return notice.command in self._earlier and not is_other

    def get_timer(self) -> int | None:
        """As an agent's, and the end of what is waited for."""
        times = [each for each in (super().get_timer(), self._wake_ns) if each is not None]
        return min(times, default=None)

    def handle_timer(self, now_ns: int) -> None:
        """As an agent's."""
        super().handle_timer(now_ns)
        self._advance(now_ns)

    def _advance(self, now_ns: int) -> None:
        if self.ending is not None:
            return
        outcome = self.outcomes.get(self._auction)
        if outcome is not None and outcome.result is Result.HALTED:
            self.ending = Halted(self._placed)
        elif self._accepted is not None:
            self.ending = self._after_acceptance(self._accepted, now_ns)
        elif self._placed is not None:
            self.ending = self._after_bid(self._placed, now_ns)
        elif self._auction in self.outcomes:
            self.ending = Over(self.outcomes[self._auction])
        elif self.can_bid(self._auction, now_ns):
            auction = self.replica.replay.state
            minor = amount_minor(self._amount, auction)
            check_cap(minor, auction.terms, self._cap_of)
            self.place(self._auction, minor, now_ns)
            # Known at once, whoever takes the notice.
            self._placed = next(notice for notice in self._notices if isinstance(notice, BidPlaced))
        else:
            self.ending = self._before_bid(now_ns)

    def _before_bid(self, now_ns: int) -> Ending | None:
        if self._opens_by_ns is None:
            self._opens_by_ns = now_ns + self._wait_ns
        if now_ns < self._opens_by_ns:
            self._wake_ns = self._opens_by_ns
            return None
        self._wake_ns = self._opens_by_ns + LOG_PATIENCE_NS
        auction, me = self.replica.replay.auction, self._me
        is_known = self.replica.is_verified and not self.replica.is_behind and self.follower.is_welcome
        is_waiting = auction is not None and auction.phase is Phase.ANNOUNCED and not auction.is_ready_to_open
        if is_known and auction is not None and is_waiting and me in auction.present:
            return NotOpened(len(auction.present), auction.terms.rules.min_bidders)
        if is_known and auction is not None and auction.phase is Phase.PAUSED:
            return StandsStill(auction.pauses.end_by_ns())
        if now_ns < self._wake_ns:
            return None
        undecided = [each for each in self._earlier.values() if self.wallet.is_undecided(self._auction, each.command)]
        return Unanswered(max(undecided, key=lambda each: each.seq)) if undecided else NotHeard()

    def _after_bid(self, placed: BidPlaced, now_ns: int) -> Ending | None:
        outcome = self.outcomes.get(self._auction)
        if outcome is not None and outcome.result is Result.UNKNOWN:
            return Unanswered(placed)
        if outcome is not None or not self.wallet.is_undecided(self._auction, placed.command):
            return Void(placed)
        self._wake_ns = placed.not_after_ns + VOID_MARGIN_NS + ANSWER_GRACE_NS - self.follower.house_ahead_ns
        return Unanswered(placed) if now_ns >= self._wake_ns else None

    def _after_acceptance(self, accepted: BidAccepted, now_ns: int) -> Ending | None:
        index, is_earlier = accepted.evidence.receipt.index, accepted.command in self._earlier
        if self.replica.is_verified and self.replica.size > index:
            standing = self.replica.replay.state.standing
            return Accepted(accepted, standing is not None and standing.bid_index == index, is_earlier)
        if self._log_by_ns is None:
            self._log_by_ns = now_ns + FEED_PATIENCE_NS
        self._wake_ns = self._log_by_ns
        return Accepted(accepted, None, is_earlier) if now_ns >= self._log_by_ns else None


def _placed_earlier(message: Message) -> BidPlaced:
    bid = decode_bid(message.body)
    return BidPlaced(bid.auction, command_id(message.body), bid.seq, bid.amount_minor, bid.not_after_ns, message)
