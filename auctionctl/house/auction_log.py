"""One auction with its log, in the house: rules, tree, checkpoints, and the current batch (DESIGN.md section 7).

State runs ahead of durability by one batch at most: :meth:`AuctionLog.release` is called when the batch is durable,
signs the checkpoint over what is durable, and only then is there anything to send. A batch that did not become durable
is dropped by rebuilding the whole object from the store (:mod:`auctionctl.house.recovery`).
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.events import HouseEvent, encode_event, kind_of
from auctionctl.auction.terms import ReserveOpening, auction_id, decode_opening, decode_terms, opens_commitment
from auctionctl.errors import NotAuthorisedError, TermsError
from auctionctl.house.effects import Append
from auctionctl.house.intake import Request
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.messages import MAX_ENTRIES_BYTES, Entries, Receipted, Receipts, parts_of

Head = tuple[CheckpointSigner, int, bytes]
"""A log's signer, its size and its root."""


class Owed(NamedTuple):
    """A receipt that is owed to a session once the batch is durable."""

    session: int
    command: bytes
    entry_index: int


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


class AuctionLog:
    """Rules and log of one auction. ``commands`` maps the id of a signed command to its index."""

    __slots__ = (
        "_batch",
        "_is_signed_alone",
        "_owed",
        "_signer",
        "auction",
        "checkpoint",
        "commands",
        "followers",
        "id",
        "name",
        "reserve",
        "terms_body",
        "terms_signature",
        "times_ns",
        "tree",
    )

    def __init__(self, key: SecretKey, terms_entry: Entry, auction: Auction, tree: Tree) -> None:
        self.terms_body = terms_entry.body
        self.terms_signature = terms_entry.signature
        self.id = auction_id(terms_entry.body)
        self.name = log_name(self.id)
        self.auction = auction
        self.tree = tree
        self.reserve = open_reserve(terms_entry.body, key)
        self.commands: dict[bytes, int] = {}
        self.times_ns = array("q")
        self.followers: set[int] = set()
        self.checkpoint = b""
        self._is_signed_alone = False
        self._signer = CheckpointSigner(origin_of(key.identity.text, self.name), key)
        self._batch: list[bytes] = []
        self._owed: list[Owed] = []

    @classmethod
    def announce(cls, key: SecretKey, terms_body: bytes, signature: bytes, now_ns: int) -> AuctionLog:
        """A new log that begins with these terms, as the first entry of the current batch. Raises TermsError."""
        terms = decode_terms(terms_body)
        if terms.house != key.identity.signing:
            raise TermsError("these terms name another house")
        entry = Entry(Kind.TERMS, now_ns, terms_body, signature)
        log = cls(key, entry, Auction(auction_id(terms_body), terms, now_ns), Tree())
        log._add(encode(entry), now_ns)
        return log

    # Adding to the batch; the rules have been asked

    def _add(self, data: bytes, now_ns: int) -> None:
        self.tree.append(leaf_hash(data))
        self.times_ns.append(now_ns)
        self._batch.append(data)

    def add_event(self, event: HouseEvent, now_ns: int) -> None:
        """The house says that ``event`` happened; an assertion if the rules would not allow it to."""
        reason = self.auction.check(event, now_ns)
        assert reason is None, reason
        self.auction.apply(event, now_ns)
        self._add(encode(Entry(Kind(kind_of(event)), now_ns, encode_event(event))), now_ns)

    def add_bid(self, request: Request, bid: Bid, command: bytes, now_ns: int) -> None:
        """An accepted bid, which ``request`` brought."""
        index = self.auction.apply_bid(bid, now_ns)
        self._add(encode(Entry(Kind.BID, now_ns, request.body, request.signature)), now_ns)
        self.commands[command] = index
        self._owed.append(Owed(request.session, command, index))

    def add_join(self, request: Request, join: Join, command: bytes, now_ns: int) -> None:
        """An accepted joining, which ``request`` brought."""
        index = self.auction.size
        self.auction.apply_join(join, now_ns)
        self._add(encode(Entry(Kind.JOINED, now_ns, request.body, request.signature)), now_ns)
        self.commands[command] = index
        self._owed.append(Owed(request.session, command, index))

    def owe_again(self, session: int, command: bytes) -> bool:
        """Whether ``command`` is in the log already; its sender then gets another receipt, under a newer checkpoint."""
        index = self.commands.get(command)
        if index is None:
            return False
        self._owed.append(Owed(session, command, index))
        return True

    # The commit point

    @property
    def is_dirty(self) -> bool:
        """Whether the batch holds anything to make durable or to answer."""
        return bool(self._batch or self._owed)

    @property
    def durable_size(self) -> int:
        """How many entries are durable: what may be told of a log whose batch is not."""
        return self.tree.size - len(self._batch)

    def to_append(self) -> Append | None:
        """What has to become durable before :meth:`release`."""
        if not self._batch:
            return None
        return Append(self.name, self.durable_size, tuple(self._batch))

    @property
    def needs_head(self) -> bool:
        """Whether the checkpoint is not over everything that :meth:`release` will answer for."""
        return bool(self._batch) or not self.checkpoint

    @property
    def head(self) -> Head:
        """What a checkpoint says of this log now, for :func:`~auctionctl.tlog.heads.sign_heads`."""
        return self._signer, self.tree.size, self.tree.root()

    def put_head(self, note: bytes) -> None:
        """``note`` is the checkpoint over :attr:`head`, signed together with those of other logs of the batch."""
        self.checkpoint = note
        self._is_signed_alone = False

    def sign_head(self) -> bytes:
        """The checkpoint as a plain C2SP note, for readers and files; only while everything is durable."""
        assert not self._batch
        if not self._is_signed_alone:
            self.checkpoint = self._signer.sign(self.tree.size, self.tree.root())
            self._is_signed_alone = True
        return self.checkpoint

    def release(self) -> tuple[list[Entries], list[tuple[int, Receipts]]]:
        """The batch is durable and its head is signed: return the feed and the receipts of each session.

        A crash before this line loses no promise: nothing was said. A crash after it loses none either: every head
        that is said here can be recomputed from the store, bit for bit.
        """
        batch, owed = self._batch, self._owed
        self._batch, self._owed = [], []
        feed = self._slices(batch) if self.followers else []
        return feed, self._receipts(owed) if owed else []

    def _slices(self, batch: list[bytes]) -> list[Entries]:
        slices: list[Entries] = []
        start = self.tree.size - len(batch)
        while batch:
            size_bytes, count = 0, 0
            for data in batch:
                size_bytes += len(data)
                if count and size_bytes > MAX_ENTRIES_BYTES:
                    break
                count += 1
            slices.append(Entries(self.id, start, tuple(batch[:count]), self.checkpoint))
            start, batch = start + count, batch[count:]
        return slices

    def _receipts(self, owed: list[Owed]) -> list[tuple[int, Receipts]]:
        proofs = self.tree.inclusions([item.entry_index for item in owed])
        by_session: dict[int, list[Receipted]] = {}
        for (session, command, index), proof in zip(owed, proofs, strict=True):
            receipt = Receipted(command, self.times_ns[index], index, proof)
            by_session.setdefault(session, []).append(receipt)
        return [
            (session, Receipts(self.id, self.checkpoint, part))
            for session, receipts in by_session.items()
            for part in parts_of(receipts)
        ]
