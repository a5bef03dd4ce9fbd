"""A log that the house writes: its tree, the current batch, and the checkpoint over what is durable (DESIGN.md 7).

State runs ahead of durability by one batch at most: what is in the batch is said only after it is durable, and a batch
that did not become durable is dropped by rebuilding the whole log from the store (:mod:`auctionctl.house.recovery`).
"""

from __future__ import annotations

from auctionctl.house.effects import Append
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.heads import Head
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.messages import MAX_ENTRIES_BYTES, Entries


class HouseLog:
    """The log called ``name``, of which messages speak by ``id``; ``followers`` are sessions that get what is new."""

    __slots__ = (
        "_batch",
        "_is_signed_alone",
        "_signer",
        "checkpoint",
        "followers",
        "id",
        "is_foreign",
        "is_halted",
        "name",
        "tree",
    )

    def __init__(self, key: SecretKey, name: str, log_id: bytes, tree: Tree) -> None:
        self.name = name
        self.id = log_id
        self.tree = tree
        self.followers: set[int] = set()
        self.checkpoint = b""
        self.is_halted = False
        """Whether nothing may be added to it any more (:mod:`auctionctl.house.reminders`)."""
        self.is_foreign = False
        """Whether another instance of the house writes it, and this one follows."""
        self._is_signed_alone = False
        self._signer = CheckpointSigner(origin_of(key.identity.text, name), key)
        self._batch: list[bytes] = []

    def _add(self, data: bytes) -> None:
        assert self.is_writable, self.name
        self.tree.append(leaf_hash(data))
        self._batch.append(data)

    @property
    def is_writable(self) -> bool:
        """Whether this instance may add to it."""
        return not (self.is_halted or self.is_foreign)

    def _has_grown(self) -> None:
        """What another instance has made durable is here: the next head is over that, too."""
        self.checkpoint = b""
        self._is_signed_alone = False

    @property
    def durable_size(self) -> int:
        """How many entries are durable: what may be told of a log whose batch is not."""
        return self.tree.size - len(self._batch)

    @property
    def is_complete(self) -> bool:
        """Whether nothing will ever be added to what is durable. A registry grows for ever."""
        return False

    def to_append(self) -> Append | None:
        """What has to become durable before anything of it is released."""
        batch = self._batch
        return Append(self.name, self.tree.size - len(batch), tuple(batch)) if batch else None

    @property
    def needs_head(self) -> bool:
        """Whether the checkpoint is not over everything that the release will answer for."""
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

    def release_feed(self) -> list[Entries]:
        """The batch is durable and its head is signed: forget it, and return it for the followers, in slices.

        A crash before this line loses no promise: nothing was said. A crash after it loses none either: every head
        that is said here can be recomputed from the store, bit for bit.
        """
        batch, self._batch = self._batch, []
        return self._slices(batch)

    def _slices(self, batch: list[bytes]) -> list[Entries]:
        if not self.followers:
            return []
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
