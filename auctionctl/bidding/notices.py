"""What an agent tells its shell: everything that a bidder wants to see, or has to keep."""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Final

import msgspec

from auctionctl.auction.phase import Stage
from auctionctl.replica.follower import Advanced, ClockOff, Listed, RegistryAdvanced, Stamped, Welcomed
from auctionctl.tlog.proof import Receipt, encode_receipt
from auctionctl.wire.frames import Message
from auctionctl.wire.messages import Refused, Rejection


class Evidence(msgspec.Struct, frozen=True):
    """Proof that ``entry`` (canonical bytes, holding our command verbatim) is in the auction's log. It was checked."""

    auction: bytes
    command: bytes
    entry: bytes
    receipt: Receipt

    @property
    def text(self) -> str:
        """For a file: a C2SP tlog-proof with the entry as its extra data."""
        return encode_receipt(self.receipt, self.entry)


class Joined(msgspec.Struct, frozen=True):
    """We take part in ``auction``."""

    auction: bytes
    evidence: Evidence


class JoinRejected(msgspec.Struct, frozen=True):
    """The house, signing for it, does not let us take part, for now; ``rule`` is in words."""

    auction: bytes
    rule: str
    rejection: Rejection


class BidPlaced(msgspec.Struct, frozen=True):
    """A bid is about to be sent. Who keeps ``message`` can hand it to the next run, which then honours it."""

    auction: bytes
    command: bytes
    seq: int
    amount_minor: int
    not_after_ns: int
    message: Message


class BidAccepted(msgspec.Struct, frozen=True):
    """A bid of ours is in the log."""

    auction: bytes
    command: bytes
    seq: int
    amount_minor: int
    evidence: Evidence


class BidRejected(msgspec.Struct, frozen=True):
    """The house, signing for it, refused a bid of ours: its code and observed values, and the rule in words."""

    auction: bytes
    command: bytes
    seq: int
    amount_minor: int
    rule: str
    rejection: Rejection

    @property
    def code(self) -> str:
        """The stable name of the rule."""
        return self.rejection.code

    @property
    def observed(self) -> tuple[tuple[str, int], ...]:
        """What the rule compared, by name."""
        return self.rejection.observed


class Outbid(msgspec.Struct, frozen=True):
    """Somebody (signing key, 32 bytes) bid ``price_minor`` above us."""

    auction: bytes
    price_minor: int
    leader: bytes


class Skipped(msgspec.Struct, frozen=True):
    """We follow every auction and cannot take part in this one; ``reason`` says why."""

    auction: bytes
    reason: str


class WaitReason(enum.StrEnum):
    """Why a strategy does not bid, although we do not lead."""

    BIDDERS = "bidders"
    BUDGET = "budget"
    CAP = "cap"
    VALUE = "value"
    PATIENCE = "patience"
    LIMIT = "limit"
    FAILED = "failed"


WAIT_WORDS: Final = MappingProxyType(
    {
        WaitReason.BIDDERS: "it opens once enough bidders have joined",
        WaitReason.BUDGET: "the least bid is more than what is left of the budget",
        WaitReason.CAP: "the least bid is more than the cap of this auction",
        WaitReason.VALUE: "the least bid is more than the strategy pays",
        WaitReason.PATIENCE: "the strategy waits for its time",
        WaitReason.LIMIT: "the least bid is more than the largest amount there is: nobody can bid any more",
        WaitReason.FAILED: "the strategy has given no answer that counts",
    }
)
"""Reason → in words."""


class Waiting(msgspec.Struct, frozen=True):
    """We do not bid for now. ``observed`` are the values that were compared, by name: amounts, counts, times."""

    auction: bytes
    reason: WaitReason
    observed: tuple[tuple[str, int], ...]


class Resumed(msgspec.Struct, frozen=True):
    """The log holds bids of ours that an earlier run made: what stands as this one begins."""

    auction: bytes
    bids: tuple[AcceptedBid, ...]
    is_leading: bool


class PausedBy(enum.StrEnum):
    """Whose doing it is that an auction stands still, or goes on."""

    OPERATOR = "operator"
    TERMS = "terms"
    CAP = "cap"


class AuctionPaused(msgspec.Struct, frozen=True):
    """Nobody can bid here, until ``resume_by_ns`` at the latest; ``words`` are an operator's, or empty."""

    auction: bytes
    cause: PausedBy
    words: str
    resume_by_ns: int


class AuctionContinued(msgspec.Struct, frozen=True):
    """Bids are taken again, until ``end_ns`` as things stand."""

    auction: bytes
    cause: PausedBy
    words: str
    end_ns: int


class SaleTurned(msgspec.Struct, frozen=True):
    """The settlement of a sale has come to ``stage``.

    ``is_ours``: the lot is ours at ``price_minor``, to be paid for by ``by_ns`` while that is pending; or, where it is
    offered, it is offered to us, to be answered by then.
    """

    auction: bytes
    stage: Stage
    is_ours: bool
    price_minor: int
    by_ns: int | None


class Result(enum.StrEnum):
    """How an auction ended for us."""

    WON = "won"
    LOST = "lost"
    NO_SALE = "no_sale"
    UNKNOWN = "unknown"
    """The house has archived the auction before we saw its end."""
    HALTED = "halted"
    """The house has stopped the auction: its log is not what the house had signed before."""
    REFUSED = "refused"
    """The house does not let us take part: our reputation is less than the terms ask for."""


class AcceptedBid(msgspec.Struct, frozen=True):
    """A bid of ours in the log."""

    entry_index: int
    seq: int
    amount_minor: int
    time_ns: int


class Outcome(msgspec.Struct, frozen=True):
    """The end of an auction, as its verified log has it; ``price_minor`` is None without a sale.

    Of an unknown or halted one, ``bids`` are those that the log held as far as it was seen. ``stage`` is how far the
    sale has been settled, where that is followed up; ``due_ns`` until when we have to pay for what we won.
    """

    result: Result
    end_reason: str
    price_minor: int | None
    bids: tuple[AcceptedBid, ...]
    stage: Stage | None = None
    due_ns: int | None = None


class Ended(msgspec.Struct, frozen=True):
    """``auction`` is over."""

    auction: bytes
    outcome: Outcome


AgentNotice = (
    Welcomed
    | Listed
    | Advanced
    | RegistryAdvanced
    | Stamped
    | ClockOff
    | Refused
    | Joined
    | JoinRejected
    | BidPlaced
    | BidAccepted
    | BidRejected
    | Outbid
    | Skipped
    | Waiting
    | Resumed
    | AuctionPaused
    | AuctionContinued
    | SaleTurned
    | Ended
)
