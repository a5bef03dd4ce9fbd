"""One auction with its log, in the house: rules, entries, and the receipts that are owed (DESIGN.md section 7).

The terms are a command too: their id is the auction's, and their seller gets a receipt for entry 0. What becomes of a
batch stands in :mod:`auctionctl.house.log`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import KINDS, AnyCommand, type_of
from auctionctl.auction.events import HouseEvent, encode_event, kind_of
from auctionctl.auction.rejection import FAULTS, Code, Refusal
from auctionctl.auction.terms import ReserveOpening, auction_id, decode_opening, decode_terms, opens_commitment
from auctionctl.errors import NotAuthorisedError, TermsError
from auctionctl.house.intake import Request
from auctionctl.house.log import HouseLog
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import Registry
from auctionctl.replica.replay import Applied
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree
from auctionctl.wire.messages import Entries, Receipted, Receipts, parts_of

_BID: Final = Kind.BID  # at hand, for it is asked for at every bid


Owed = tuple[int, bytes, int]
"""A receipt that is owed once the batch is durable: to which session, for which command, which is entry so-and-so."""


def log_name(auction: bytes) -> str:
    """The name of an auction's log: ``auction/`` and the 64 hexadecimal digits of its 32 bytes."""
    return f"auction/{auction.hex()}"


def open_reserve(terms_body: bytes, key: SecretKey) -> ReserveOpening | None:
    """The reserve of these terms, opened with the house's escrow key; TermsError if it is not what they commit to."""
    rules = decode_terms(terms_body).rules
    if rules.reserve is None:
        return None
    try:
        opening = decode_opening(key.open_escrow(rules.reserve.sealed))
    except NotAuthorisedError as error:
        raise TermsError("the reserve is not sealed to this house") from error
    if not opens_commitment(rules.reserve, opening, rules.currency):
        raise TermsError("the sealed reserve is not the one that the terms commit to")
    return opening


class AuctionLog(HouseLog):
    """Rules and log of one auction. ``commands`` maps the id of a signed command to its index.

    Memory: 200 to 240 bytes an entry, of which the tree takes 64 to 72, and the ids of commands 130 to 160. What the
    store keeps besides is 8.
    """

    __slots__ = (
        "_owed",
        "auction",
        "bid_counts",
        "commands",
        "invalid",
        "reserve",
        "terms_body",
        "terms_signature",
        "times_ns",
    )

    def __init__(self, key: SecretKey, terms_entry: Entry, auction: Auction, tree: Tree) -> None:
        log_id = auction_id(terms_entry.body)
        super().__init__(key, log_name(log_id), log_id, tree)
        self.terms_body = terms_entry.body
        self.terms_signature = terms_entry.signature
        self.auction = auction
        self.reserve = open_reserve(terms_entry.body, key)
        self.commands: dict[bytes, int] = {log_id: 0}
        self.bid_counts: dict[bytes, int] = {}
        """Bidder → how many of its bids this process has added."""
        self.times_ns = array("q")
        self.invalid: dict[bytes, int] = {}
        """Bidder → how many of its bids the rules have refused by its fault, since this house started."""
        self._owed: list[Owed] = []

    @classmethod
    def announce(cls, key: SecretKey, terms_body: bytes, signature: bytes, now_ns: int) -> AuctionLog:
        """A new log that begins with these terms, as the first entry of the current batch. Raises TermsError."""
        terms = decode_terms(terms_body)
        if terms.house != key.identity.signing:
            raise TermsError("these terms name another house")
        entry = Entry(Kind.TERMS, now_ns, terms_body, signature)
        log = cls(key, entry, Auction(auction_id(terms_body), terms, now_ns), Tree())
        log._add_at(encode(entry), now_ns)
        return log

    # Adding to the batch; the rules have been asked

    def _add_at(self, data: bytes, now_ns: int) -> None:
        self._add(data)
        self.times_ns.append(now_ns)

    def add_event(self, event: HouseEvent, now_ns: int) -> None:
        """The house says that ``event`` happened; an assertion if the rules would not allow it to."""
        reason = self.auction.check(event, now_ns)
        assert reason is None, reason
        self.auction.apply(event, now_ns)
        self._add_at(encode(Entry(Kind(kind_of(event)), now_ns, encode_event(event))), now_ns)

    def decide_bid(self, bid: Bid, now_ns: int) -> Refusal | None:
        """What the rules say of a bid: why it is refused, or None."""
        refusal = self.auction.decide_bid(bid, now_ns)
        if refusal is not None and refusal.code in FAULTS:
            self.invalid[bid.bidder] = self.invalid.get(bid.bidder, 0) + 1
        return refusal

    def decide(self, command: Join | AnyCommand, name: bytes, registry: Registry, now_ns: int) -> Refusal | None:
        """As :meth:`decide_bid` of another command, whose id is ``name``."""
        if isinstance(command, Join):
            refusal = self.auction.decide_join(command, now_ns)
            if refusal is None or refusal.code is Code.LOW_REPUTATION:
                return self._refuse_statement(command, registry, now_ns) or refusal
            return refusal
        return self.auction.decide_command(command, name, now_ns)

    def _refuse_statement(self, join: Join, registry: Registry, now_ns: int) -> Refusal | None:
        """Whether the reputation that is stated is the present one, by ``registry``, where the terms ask for any.

        That goes first: whoever stated too little by mistake gets to know what it has.
        """
        if not self.auction.terms.rules.min_reputation_ppm:
            return None
        stated_ppm, has_ppm = join.reputation_ppm, registry.reputations.ppm(join.bidder, now_ns)
        if stated_ppm == has_ppm:
            return None
        return Refusal(Code.WRONG_REPUTATION, (("stated", stated_ppm), ("reputation", has_ppm)))

    def add_bid(self, request: Request, bid: Bid, command: bytes, now_ns: int) -> bool:
        """An accepted bid, which ``request`` brought; whether it has moved the end."""
        auction, counts, bidder = self.auction, self.bid_counts, bid.bidder
        end_ns = auction.end_ns
        index = auction.apply_bid(bid, now_ns)
        counts[bidder] = counts.get(bidder, 0) + 1
        self._add(encode(Entry(_BID, now_ns, request.body, request.signature)))
        self.times_ns.append(now_ns)
        self.commands[command] = index
        self._owed.append((request.session, command, index))
        return auction.end_ns != end_ns

    def add_join(self, request: Request, join: Join, command: bytes, now_ns: int) -> None:
        """An accepted joining, which ``request`` brought."""
        index = self.auction.size
        self.auction.apply_join(join, now_ns)
        self._add_at(encode(Entry(Kind.JOINED, now_ns, request.body, request.signature)), now_ns)
        self.commands[command] = index
        self._owed.append((request.session, command, index))

    def add_command(self, request: Request, command: AnyCommand, name: bytes, now_ns: int) -> None:
        """An accepted command, which ``request`` brought; ``name`` is its id."""
        index = self.auction.apply_command(command, name, now_ns)
        kind = Kind(KINDS[type_of(command)])
        self._add_at(encode(Entry(kind, now_ns, request.body, request.signature)), now_ns)
        self.commands[name] = index
        self._owed.append((request.session, name, index))

    def owe_again(self, session: int, command: bytes) -> bool:
        """Whether ``command`` is in the log already; its sender then gets another receipt, under a newer checkpoint."""
        index = self.commands.get(command)
        if index is None:
            return False
        self._owed.append((session, command, index))
        return True

    def grow(self, passed: Iterable[Applied], hashes: bytes) -> None:
        """Entries that another instance has made durable, by the rules and with the hashes of their leaves."""
        self.tree.extend(hashes)
        for applied in passed:
            self.times_ns.append(applied.entry.time_ns)
            if applied.entry.signature:
                self.commands[command_id(applied.entry.body)] = applied.entry_index
        self._has_grown()

    # The commit point

    @property
    def is_complete(self) -> bool:
        """Whether the auction is final, and durably."""
        return self.auction.is_final and not self._batch

    @property
    def is_dirty(self) -> bool:
        """Whether the batch holds anything to make durable or to answer."""
        return bool(self._batch or self._owed)

    def release(self) -> tuple[list[Entries], list[tuple[int, Receipts]]]:
        """The batch is durable and its head is signed: return the feed and the receipts of each session."""
        owed, self._owed = self._owed, []
        return self.release_feed(), self._receipts(owed) if owed else []

    def _receipts(self, owed: list[Owed]) -> list[tuple[int, Receipts]]:
        if len(owed) == 1:
            # As it is most often where many auctions run.
            ((session, command, index),) = owed
            receipt = Receipted(command, self.times_ns[index], index, self.tree.inclusion(index))
            return [(session, Receipts(self.id, self.checkpoint, (receipt,)))]
        proofs = self.tree.inclusions([index for _, _, index in owed])
        by_session: dict[int, list[Receipted]] = {}
        for (session, command, index), proof in zip(owed, proofs, strict=True):
            receipt = Receipted(command, self.times_ns[index], index, proof)
            by_session.setdefault(session, []).append(receipt)
        return [
            (session, Receipts(self.id, self.checkpoint, part))
            for session, receipts in by_session.items()
            for part in parts_of(receipts)
        ]
