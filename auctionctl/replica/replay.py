"""One log through the rules, entry by entry: form, order of times, signature, rule, and only then the state.

The same code serves a live replica, the offline audit and the recovery of a house. What fails raises VerificationError
with the entry's index and a stable word for the rule: the refusal code for a bid, the kind for an event of the house
(DESIGN.md sections 6 and 7).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join, decode_bid, decode_join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import (
    COMMAND_KINDS,
    KINDS,
    AnyCommand,
    Cancel,
    Capacity,
    Pause,
    RejectPayment,
    Resume,
    Settle,
    decode_command,
    type_of,
)
from auctionctl.auction.events import HouseEvent, decode_event, kind_of
from auctionctl.auction.terms import Terms, auction_id, decode_terms
from auctionctl.errors import AuctionctlError, VerificationError
from auctionctl.tlog.entry import Entry, Kind, decode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import is_signed_by

Fact = Terms | Join | Bid | AnyCommand | HouseEvent
"""What an entry says happened, decoded."""

SIGNED_COMMANDS = frozenset({"payment", "payment_rejected", "settled", "offered", "accepted"})
"""Kinds of entries that a participant signs; others of :data:`COMMAND_KINDS` may be the house's own word as well."""

SignatureCheck = Callable[[bytes, bytes, bytes], bool]
"""(signing key, body, signature) → whether it holds."""


class Operation(NamedTuple):
    """Somebody acted as an operator of the house: the entry's index and time, and the signing key."""

    entry_index: int
    time_ns: int
    operator: bytes


class Statement(NamedTuple):
    """A bidder (signing key) stated its reputation when it joined: the entry's index and time, and the value."""

    entry_index: int
    time_ns: int
    bidder: bytes
    reputation_ppm: int


class Applied(msgspec.Struct, frozen=True, gc=False):
    """One entry that passed, and its index in the log."""

    entry_index: int
    entry: Entry
    fact: Fact


class Replay:
    """The state of one auction's log so far. ``house`` is the house's signing key, ``auction_id`` the log's name."""

    __slots__ = (
        "_is_signed",
        "_takes_bids",
        "auction",
        "auction_id",
        "contested",
        "house",
        "operations",
        "statements",
        "tree",
    )

    def __init__(self, house: bytes, auction_id: bytes, is_signed: SignatureCheck = is_signed_by) -> None:
        self.house = house
        self.auction_id = auction_id
        self.tree = Tree()
        self.auction: Auction | None = None
        self.contested: list[int] = []
        """Bids whose ``head`` this log does not have: claims of a bidder, which prove nothing by themselves."""
        self.operations: list[Operation] = []
        """What was done by operators: that they are operators stands in the house's registry."""
        self.statements: list[Statement] = []
        """The reputations that were stated, where the terms ask for any: the registry tells whether they were so."""
        self._is_signed = is_signed
        self._takes_bids = False

    @property
    def size(self) -> int:
        """How many entries have passed."""
        return 0 if self.auction is None else self.auction.size

    @property
    def state(self) -> Auction:
        """The auction. Only after the first entry."""
        assert self.auction is not None
        return self.auction

    def apply(self, data: bytes) -> Applied:
        """Check the next entry's canonical bytes and apply it; VerificationError leaves the state as it was."""
        auction = self.auction
        index = 0 if auction is None else auction.size
        try:
            entry = decode(data)
            if auction is None:
                fact: Fact = self._apply_terms(entry)
            elif entry.time_ns < auction.last_time_ns:
                back_ns = auction.last_time_ns - entry.time_ns
                raise VerificationError(f"dated {back_ns} ns before the entry below it", rule="time", index=index)
            elif self._takes_bids and entry.kind is Kind.BID:
                fact = self._apply_bid(auction, entry, index)
            else:
                fact = self._apply_next(auction, entry, index)
                # Most entries are bids, and no bid changes this: it is taken only while the auction runs, and by it
                # nobody comes or goes. So it is found out once for all bids that follow.
                self._takes_bids = auction.allows(Kind.BID) and auction.must_follow is None
        except VerificationError:
            raise
        except AuctionctlError as error:
            raise VerificationError(str(error), rule="entry", index=index) from error
        self._grow(data)
        return Applied(index, entry, fact)

    def _apply_terms(self, entry: Entry) -> Terms:
        if entry.kind is not Kind.TERMS:
            raise VerificationError(f"a log begins with terms, not {entry.kind}", rule="phase", index=0)
        if auction_id(entry.body) != self.auction_id:
            raise VerificationError("these are the terms of another auction", rule="terms", index=0)
        terms = decode_terms(entry.body)
        if terms.house != self.house:
            raise VerificationError("these terms name another house", rule="terms", index=0)
        self._check_signature(terms.seller, entry, 0)
        self.auction = Auction(self.auction_id, terms, entry.time_ns)
        return terms

    def _apply_next(self, auction: Auction, entry: Entry, index: int) -> Fact:
        time_ns = entry.time_ns
        if not auction.allows(entry.kind):
            where = auction.whereabouts
            raise VerificationError(f"{entry.kind} is not allowed while {where}", rule="phase", index=index)
        if (first := auction.must_follow) is not None and entry.kind != (kind := kind_of(first)):
            raise VerificationError(f"it has to be {kind} first", rule=kind, index=index)
        if entry.kind is Kind.BID:
            return self._apply_bid(auction, entry, index)
        if entry.kind is Kind.JOINED:
            return self._apply_join(auction, entry, index)
        if entry.kind in COMMAND_KINDS and (entry.signature or entry.kind in SIGNED_COMMANDS):
            return self._apply_command(auction, entry, index)
        if entry.signature:
            raise VerificationError("an event of the house carries no signature", rule="signature", index=index)
        event = decode_event(entry.kind, entry.body)
        if (reason := auction.check(event, time_ns)) is not None:
            raise VerificationError(reason, rule=entry.kind, index=index)
        auction.apply(event, time_ns)
        return event

    def _apply_bid(self, auction: Auction, entry: Entry, index: int) -> Bid:
        bid = decode_bid(entry.body)
        self._check_signature(bid.bidder, entry, index)
        if bid.auction != self.auction_id:
            raise VerificationError("a bid for another auction", rule="wrong_auction", index=index)
        if (refusal := auction.decide_bid(bid, entry.time_ns)) is not None:
            raise VerificationError(refusal.rule, rule=refusal.code, index=index)
        self._check_head(bid, index)
        auction.apply_bid(bid, entry.time_ns)
        return bid

    def _apply_join(self, auction: Auction, entry: Entry, index: int) -> Join:
        join = decode_join(entry.body)
        self._check_signature(join.bidder, entry, index)
        if join.auction != self.auction_id:
            raise VerificationError("a joining of another auction", rule="wrong_auction", index=index)
        if (refusal := auction.decide_join(join, entry.time_ns)) is not None:
            raise VerificationError(refusal.rule, rule=refusal.code, index=index)
        auction.apply_join(join, entry.time_ns)
        if auction.terms.rules.min_reputation_ppm:
            self.statements.append(Statement(index, entry.time_ns, join.bidder, join.reputation_ppm))
        return join

    def _apply_command(self, auction: Auction, entry: Entry, index: int) -> AnyCommand:
        command = decode_command(entry.body)
        if KINDS[type_of(command)] != entry.kind:
            raise VerificationError(
                f"an entry of kind {entry.kind} holds {type_of(command)}", rule="entry", index=index
            )
        self._check_signature(command.actor, entry, index)
        if command.auction != self.auction_id:
            raise VerificationError("a command about another auction", rule="wrong_auction", index=index)
        name = command_id(entry.body)
        if (refusal := auction.decide_command(command, name, entry.time_ns)) is not None:
            raise VerificationError(refusal.rule, rule=refusal.code, index=index)
        auction.apply_command(command, name, entry.time_ns)
        if is_operation(command):
            self.operations.append(Operation(index, entry.time_ns, command.actor))
        return command

    def _grow(self, data: bytes) -> None:
        self.tree.append(leaf_hash(data))

    def _check_head(self, bid: Bid, index: int) -> None:
        if bid.head_size and (bid.head_size > index or self.tree.root(bid.head_size) != bid.head_root):
            self.contested.append(index)

    def _check_signature(self, signer: bytes, entry: Entry, index: int) -> None:
        if not self._is_signed(signer, entry.body, entry.signature):
            raise VerificationError(
                f"the {entry.kind} entry is not signed by the key in it", rule="signature", index=index
            )


def signer_of(entry: Entry) -> bytes:
    """Whose signature an entry of an auction's log carries, which has passed the rules and has one: a signing key."""
    if entry.kind is Kind.BID:
        return decode_bid(entry.body).bidder
    if entry.kind is Kind.JOINED:
        return decode_join(entry.body).bidder
    return decode_terms(entry.body).seller if entry.kind is Kind.TERMS else decode_command(entry.body).actor


def is_operation(command: AnyCommand) -> bool:
    """Whether whoever gave ``command`` did so as an operator of the house."""
    match command:
        case Pause() | Resume() | Cancel():
            return True
        case Settle() | RejectPayment():
            return command.capacity is Capacity.OPERATOR
        case _:
            return False
