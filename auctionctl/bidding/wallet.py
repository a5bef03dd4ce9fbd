"""One budget over all auctions, never exceeded, whatever the order in which answers come (DESIGN.md section 8).

Its rule: of several bids of one bidder in one auction at most one can win, so an auction ties up the largest amount
that may still have to be paid there, and the sum of these over all auctions stays within the budget. What may have to
be paid: a win; the bid that leads; every bid that was sent and may yet be accepted, answered or not. The last stay tied
up until a higher seq is accepted, the auction ends, or everything accepted until ``not_after`` is known.

A win ties up its price for ever, for what was paid is spent; but not if the log says that the sale was reverted, or
that we defaulted. A lot that is offered to us after another's default ties up nothing before we have accepted it.

An auction may have a cap besides: no bid there is more than that, whatever is free.
"""

from __future__ import annotations

from typing import Final

import msgspec

from auctionctl.auction.price import Money, format_minor
from auctionctl.auction.terms import SECOND_NS, Terms
from auctionctl.bidding.caps import CapOf, no_cap
from auctionctl.bidding.strategy import Purse
from auctionctl.errors import LocalProtocolError

VOID_MARGIN_NS: Final = 5 * SECOND_NS
"""How far beyond ``not_after`` the house's clock must be: a house that restarts may set its clock back by as much."""


class Commitment(msgspec.Struct, frozen=True):
    """What one auction ties up, in minor units: the largest of its three parts."""

    auction: bytes
    leading_minor: int
    undecided_minor: int
    won_minor: int

    @property
    def committed_minor(self) -> int:
        """What may have to be paid here, at worst."""
        return max(self.leading_minor, self.undecided_minor, self.won_minor)


class _Undecided(msgspec.Struct, frozen=True, gc=False):
    """A bid that may yet be accepted."""

    seq: int
    amount_minor: int
    not_after_ns: int


class _Account(msgspec.Struct):
    """One auction. ``committed_minor`` is kept, so that the sum over all auctions can be, too."""

    undecided: dict[bytes, _Undecided] = msgspec.field(default_factory=dict)
    accepted_seq: int = 0
    leading_minor: int = 0
    won_minor: int = 0
    has_ended: bool = False
    committed_minor: int = 0

    @property
    def undecided_minor(self) -> int:
        """The largest bid that may yet be accepted."""
        most_minor = 0
        # Asked at every event of every auction: a plain loop, as there is hardly ever more than one.
        for bid in self.undecided.values():
            most_minor = max(most_minor, bid.amount_minor)
        return most_minor

    def summary(self, auction: bytes) -> Commitment:
        """What it ties up, part by part."""
        return Commitment(auction, self.leading_minor, self.undecided_minor, self.won_minor)


class Wallet:
    """``budget`` bounds everything. Auctions and commands are 32 bytes, amounts minor units, times the house's.

    Asked and told at every bid, of a house and of a simulated market: what is on that way keeps sums, and calls little.
    """

    __slots__ = ("_accounts", "_cap_of", "_caps_minor", "_committed_minor", "_spent_minor", "budget")

    def __init__(self, budget: Money, cap_of: CapOf = no_cap) -> None:
        self.budget = budget
        self._cap_of = cap_of
        self._accounts: dict[bytes, _Account] = {}
        self._caps_minor: dict[bytes, int] = {}
        self._committed_minor = 0
        self._spent_minor = 0

    @property
    def committed_minor(self) -> int:
        """What may have to be paid over all auctions, at worst."""
        return self._committed_minor

    @property
    def spent_minor(self) -> int:
        """What is to be paid for the lots that were won, of which it is a part."""
        return self._spent_minor

    def commitments(self) -> tuple[Commitment, ...]:
        """Every auction that ties something up, in the order in which they were first bid in."""
        summaries = (account.summary(auction) for auction, account in self._accounts.items())
        return tuple(summary for summary in summaries if summary.committed_minor)

    def meet(self, auction: bytes, terms: Terms) -> None:
        """``auction`` has these terms, by which its cap is found; to be told before anything is bid there."""
        cap_minor = self._cap_of(terms)
        if cap_minor is not None:
            self.cap(auction, cap_minor)

    def cap(self, auction: bytes, cap_minor: int) -> None:
        """No bid in ``auction`` is more than ``cap_minor`` from now on; what was bid stays bid."""
        self._caps_minor[auction] = cap_minor

    def cap_minor(self, auction: bytes) -> int | None:
        """The cap of ``auction``, or None."""
        return self._caps_minor.get(auction)

    def is_capped(self, auction: bytes) -> bool:
        """Whether it is the cap of ``auction``, and not the budget, that bounds a bid there now."""
        return self._caps_minor.get(auction, self.budget.minor) < self._free_minor(auction)

    def available_minor(self, auction: bytes) -> int:
        """The largest amount that may be bid in ``auction`` now: its own commitment is no obstacle to it."""
        free_minor = self._free_minor(auction)
        if not self._caps_minor:
            return free_minor
        return min(free_minor, self._caps_minor.get(auction, free_minor))

    def purse(self, auction: bytes) -> Purse:
        """What a strategy is shown of it before a bid in ``auction``."""
        return Purse(self.available_minor(auction), self.budget.minor, self._committed_minor, self._spent_minor)

    def _free_minor(self, auction: bytes) -> int:
        free_minor = self.budget.minor - self._committed_minor
        account = self._accounts.get(auction)
        if account is not None:
            free_minor += account.committed_minor
        return free_minor if free_minor > 0 else 0

    def is_undecided(self, auction: bytes, command: bytes) -> bool:
        """Whether this bid may yet be accepted, for all that is known."""
        account = self._accounts.get(auction)
        return account is not None and command in account.undecided

    def commit(self, auction: bytes, command: bytes, seq: int, amount_minor: int, not_after_ns: int) -> None:
        """Tie up ``amount_minor`` for a bid that is about to be sent; raises LocalProtocolError, and nothing changes.

        It does for an amount beyond :meth:`available_minor`, in an auction that has ended, and for a command or seq
        that was used before.
        """
        account = self._accounts.get(auction) or self._begin(auction)
        if account.has_ended:
            raise LocalProtocolError("a bid in an auction that has ended")
        if command in account.undecided or seq <= account.accepted_seq:
            raise LocalProtocolError(f"a second bid under seq {seq}")
        cap_minor = self._caps_minor.get(auction, amount_minor)
        more_minor = amount_minor - account.committed_minor
        if amount_minor > cap_minor or more_minor > self.budget.minor - self._committed_minor:
            raise self._beyond(auction, amount_minor)
        self._tie_up(account, command, _Undecided(seq, amount_minor, not_after_ns))

    def _beyond(self, auction: bytes, amount_minor: int) -> LocalProtocolError:
        currency = self.budget.currency
        bound = "is this auction's cap" if self.is_capped(auction) else f"of the budget of {self.budget} are free"
        asked, available = format_minor(amount_minor, currency), format_minor(self.available_minor(auction), currency)
        return LocalProtocolError(f"a bid of {asked}, where {available} {bound}")

    def recall(self, auction: bytes, command: bytes, seq: int, amount_minor: int, not_after_ns: int) -> None:
        """A bid that an earlier run has sent: it binds whatever the budget is now."""
        account = self._accounts.get(auction) or self._begin(auction)
        self._tie_up(account, command, _Undecided(seq, amount_minor, not_after_ns))

    def accepted(self, auction: bytes, seq: int, amount_minor: int) -> None:
        """The log holds this bid of ours, and it leads; bids of its seq and below can be accepted no more.

        To be told in the order of the log, of every bid of ours that it holds, also of those that nobody committed.
        """
        account = self._accounts.get(auction) or self._begin(auction)
        if account.has_ended or seq <= account.accepted_seq:
            return
        account.accepted_seq = seq
        account.leading_minor = amount_minor
        undecided = account.undecided
        if undecided:
            for command, bid in list(undecided.items()):
                if bid.seq <= seq:
                    del undecided[command]
        self._update(account)

    def outbid(self, auction: bytes) -> None:
        """The log holds somebody else's bid above ours."""
        account = self._accounts.get(auction) or self._begin(auction)
        if account.leading_minor:
            account.leading_minor = 0
            self._update(account)

    def ended(self, auction: bytes, price_minor: int | None) -> None:
        """The auction is over: we pay ``price_minor``, or nothing if it is None."""
        account = self._accounts.get(auction) or self._begin(auction)
        account.has_ended = True
        account.leading_minor = 0
        account.undecided.clear()
        self._spend(account, price_minor or 0)

    def owes(self, auction: bytes, price_minor: int) -> None:
        """Bidding is over, and as the sale stands, we pay ``price_minor``, have paid it, or owe nothing (0)."""
        account = self._accounts.get(auction) or self._begin(auction)
        assert account.has_ended
        self._spend(account, price_minor)

    def expire(self, auction: bytes, known_ns: int) -> None:
        """Everything that the house accepted in ``auction`` before ``known_ns``, on its clock, is known.

        Bids whose ``not_after`` lies more than VOID_MARGIN_NS before that were not accepted, and cannot be any more.
        """
        account = self._accounts.get(auction) or self._begin(auction)
        account.undecided = {
            command: bid for command, bid in account.undecided.items() if bid.not_after_ns + VOID_MARGIN_NS >= known_ns
        }
        self._update(account)

    def _begin(self, auction: bytes) -> _Account:
        account = self._accounts[auction] = _Account()
        return account

    def _tie_up(self, account: _Account, command: bytes, bid: _Undecided) -> None:
        account.undecided[command] = bid
        # One bid more never ties up less.
        if bid.amount_minor > account.committed_minor:
            self._committed_minor += bid.amount_minor - account.committed_minor
            account.committed_minor = bid.amount_minor

    def _spend(self, account: _Account, won_minor: int) -> None:
        self._spent_minor += won_minor - account.won_minor
        account.won_minor = won_minor
        self._update(account)

    def _update(self, account: _Account) -> None:
        leading_minor, won_minor = account.leading_minor, account.won_minor
        committed_minor = leading_minor if leading_minor > won_minor else won_minor
        if account.undecided:
            committed_minor = max(committed_minor, account.undecided_minor)
        before_minor = account.committed_minor
        if committed_minor != before_minor:
            self._committed_minor += committed_minor - before_minor
            account.committed_minor = committed_minor
