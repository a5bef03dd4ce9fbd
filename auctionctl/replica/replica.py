"""A live copy of one log: slices come in, in order or not, and are believed under a checkpoint only.

Entries beyond the last checkpoint are provisional: :attr:`Replica.is_verified` says whether everything applied so far
stands under a root that the house signed. A house that signs another root than the entries have is caught here
(DESIGN.md section 7).

So is one whose history has changed. A head that it signed at any time is *held*: the log has to have that root at that
size. What proves the contrary is a larger head whose entries have another root there; or a smaller head in an answer
to what was asked after the held one was known, as a house signs in every answer what is durable, and that never
shrinks. A copy that is merely shorter proves nothing: its house may be about to send the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from auctionctl.errors import HistoryChangedError, VerificationError
from auctionctl.keys.signing import Identity
from auctionctl.replica.clock_heads import FORK, Contradiction, KeptHead, KeptHeads
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID, RegistryApplied, RegistryReplay
from auctionctl.replica.replay import Applied, Replay
from auctionctl.tlog.checkpoint import Checkpoint, open_checkpoint, origin_of
from auctionctl.tlog.entry import encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.tlog.proof import TlogProof, encode_proof
from auctionctl.wire.messages import Entries

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Head(NamedTuple):
    """A head of a log, and the note in which its house signed it."""

    size: int
    root: bytes
    note: bytes


HeadsOf = Callable[[bytes], Iterable[Head]]
"""Log → the heads that its house is known to have signed, from other sessions; asked once, before the log is."""


def no_heads(log: bytes) -> tuple[Head, ...]:  # noqa: ARG001 - the shape of HeadsOf
    """The :data:`HeadsOf` of whoever meets a house for the first time."""
    return ()


class LogReplay(Protocol[A_co]):
    """What a copy of a log needs of its rules: each entry checked and applied, and the tree of all of them."""

    @property
    def tree(self) -> Tree:
        """Over every entry that has passed."""
        ...

    def apply(self, data: bytes) -> A_co:
        """Check and apply one entry; VerificationError leaves the state as it was."""
        ...


class LogReplica(Generic[A]):
    """The log ``log`` of ``house`` (``log_id`` in messages), as far as it has been seen, replayed by ``rules``."""

    def __init__(self, house: Identity, log: str, log_id: bytes, rules: LogReplay[A]) -> None:
        self.origin = origin_of(house.text, log)
        self.log_id = log_id
        self._rules = rules
        self._house = house
        self.head: Checkpoint | None = None
        self.head_note = b""
        """The largest checkpoint verified against the entries, as the house signed it: plainly, if it has done so."""
        self._target_size = 0
        self._signed = 0
        self._held: dict[int, Head] = {}  # by size: what has not been reached yet
        self._floor: Head | None = None
        self._fresh: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        """How many entries have been applied: where to read on."""
        return self._rules.tree.size

    @property
    def is_verified(self) -> bool:
        """Whether there is something, and all of it stands under a checkpoint that was verified."""
        return self.head is not None and self.head.size == self.size

    @property
    def is_behind(self) -> bool:
        """Whether the house has signed for more entries than have come in."""
        return self.size < self._target_size

    def root(self, size: int) -> bytes:
        """The root of the first ``size`` entries, of which there are so many."""
        return self._rules.tree.root(size)

    @property
    def signed_size(self) -> int:
        """How many entries the house has signed for, as far as is known: what :attr:`size` is on its way to."""
        return self._target_size

    def expect(self, size: int) -> None:
        """The house has signed for ``size`` entries elsewhere: with fewer, this copy is behind."""
        self._target_size = max(self._target_size, size)

    def extend(self, message: Entries) -> list[A]:
        """Apply what is new in a slice or a piece of feed; a piece beyond a hole changes nothing but ``is_behind``.

        Raises NoteError for a checkpoint that is not the house's, VerificationError for an entry or root that does not
        hold: from then on this house's log is not to be believed. HistoryChangedError if it contradicts what is held.
        """
        checkpoint = open_checkpoint(message.checkpoint, self.origin, self._house.signing)
        is_short = checkpoint.size < message.start + len(message.entries)
        # To be asked for more than it has, a house signs for less than was seen: :meth:`check_answer` judges that.
        if is_short and (message.entries or self.head is None):
            raise VerificationError("the house sent entries that its checkpoint does not hold", rule="checkpoint")
        self._target_size = max(self._target_size, checkpoint.size)
        self._signed = checkpoint.size
        self._fresh = ()
        if message.start > self.size:
            return []
        self._fresh = message.entries[self.size - message.start :]
        try:
            applied = [self._rules.apply(data) for data in self._fresh]
        except VerificationError as error:
            if self._is_of_another_log(message, checkpoint):
                raise self._changed(
                    f"{checkpoint.size} entries that others came before", self.head_note, message.checkpoint
                ) from error
            raise
        if checkpoint.size <= self.size:
            self._verify(checkpoint, message.checkpoint)
        return applied

    def _is_of_another_log(self, message: Entries, checkpoint: Checkpoint) -> bool:
        """Whether entries that break our log's rules are all that the house signed for, but with others below them."""
        if self.head is None or checkpoint.size != message.start + len(message.entries):
            return False
        tree = Tree()
        for index in range(message.start):
            tree.append(self._rules.tree.leaf(index))
        for data in message.entries:
            tree.append(leaf_hash(data))
        return tree.root() != checkpoint.root

    def hold(self, head: Head) -> None:
        """The house signed this head, at whatever time: the log has to extend it.

        Raises HistoryChangedError if the log does not, now or once it has come so far.
        """
        self._fresh = ()
        other = self._held.get(head.size, head)
        if other.root != head.root:
            raise self._changed(f"two roots for {head.size} entries", other.note, head.note)
        self._held[head.size] = head
        self._compare_held()

    def begin_session(self) -> None:
        """What is asked from now on is asked after all that was seen so far: see :meth:`check_answer`."""
        held = [*self._held.values()]
        if self.head is not None:
            held.append(Head(self.head.size, self.head.root, self.head_note))
        self._floor = max(held, default=None)

    @property
    def is_short(self) -> bool:
        """Whether the last answer was under a smaller head than one that was signed before this session began."""
        return self._floor is not None and self._signed < self._floor.size

    def check_answer(self, message: Entries) -> None:
        """That the house has not lost what it signed, judged by its answer in this session, which :meth:`extend` took.

        Raises HistoryChangedError if its head is smaller than one that it had signed before this session began.
        """
        if self._floor is not None and self.is_short:
            raise self._changed(
                f"{self._floor.size} entries, and now {self._signed}",
                self._floor.note,
                message.checkpoint,
            )

    def _compare_held(self) -> None:
        """Whether the log has the roots that are held, of those sizes that it has reached under a verified head."""
        if not self._held or self.head is None:
            return
        for size in sorted(size for size in self._held if size <= self.head.size):
            held = self._held.pop(size)
            if self.root(size) != held.root:
                raise self._changed(f"other first {size} entries", held.note, self.head_note)

    def _changed(self, what: str, before: bytes, now: bytes) -> HistoryChangedError:
        return HistoryChangedError(
            f"the house signed {what}", log=self.log_id, before=before, now=now, entries=self._fresh
        )

    def _verify(self, checkpoint: Checkpoint, note: bytes) -> None:
        if self.root(checkpoint.size) != checkpoint.root:
            if self.head is not None:
                raise self._changed(f"another root for {checkpoint.size} entries", self.head_note, note)
            raise VerificationError(
                f"the house signed another root for {checkpoint.size} entries than the one that they have", rule="root"
            )
        is_plainer = self.head is not None and checkpoint.size == self.head.size and len(note) < len(self.head_note)
        if self.head is None or checkpoint.size > self.head.size or is_plainer:
            self.head, self.head_note = checkpoint, note
        self._compare_held()


class Replica(LogReplica[Applied]):
    """The log of ``auction_id`` (32 bytes) of ``house``."""

    def __init__(self, house: Identity, auction_id: bytes) -> None:
        self.replay = Replay(house.signing, auction_id)
        super().__init__(house, f"auction/{auction_id.hex()}", auction_id, self.replay)
        self.clock_heads = KeptHeads(self.origin, house)

    def extend(self, message: Entries) -> list[Applied]:
        """As of any log; what is new is held against the clock heads too.

        Raises VerificationError with rule ``back_dated`` or ``ahead_of_clock``, and the evidence, besides.
        """
        applied = super().extend(message)
        for each in applied:
            self.clock_heads.date(each.entry.time_ns)
        self._check_clock(applied)
        return applied

    def stamp(self, note: bytes) -> KeptHead:
        """Keep a clock head, and hold it against the log; if it is ahead of this copy, entries are missing here.

        Raises NoteError for a note that is none of the house's of this log, VerificationError as :meth:`extend`.
        """
        kept = self.clock_heads.open(note)
        self.expect(kept.head.checkpoint.size)
        self.clock_heads.keep(kept)
        self._check_clock(())
        return kept

    def _check_clock(self, applied: Sequence[Applied]) -> None:
        found = self.clock_heads.check(self.replay.tree, 0 if self.head is None else self.head.size)
        if found is not None:
            raise VerificationError(
                found.words,
                rule=found.rule,
                index=None if found.rule == FORK else found.entry_index,
                evidence=self._prove(found, applied),
            )

    def _prove(self, found: Contradiction, applied: Sequence[Applied]) -> dict[str, bytes]:
        """The clock head; and the entry under a head of the log, or that head alone if the entry is not at hand."""
        evidence = {"clock-head.note": found.kept.note, "head.note": self.head_note}
        entry = next((encode(each.entry) for each in applied if each.entry_index == found.entry_index), None)
        if self.head is not None and entry is not None:
            path = self.replay.tree.inclusion(found.entry_index, self.head.size)
            proof = TlogProof(found.entry_index, path, self.head_note, entry)
            evidence["entry.tlog-proof"] = encode_proof(proof).encode()
        return evidence

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow, as far as this copy goes: bidding is over, and its sale, if any, settled."""
        auction = self.replay.auction
        return auction is not None and auction.is_final

    @property
    def has_ended(self) -> bool:
        """Whether the auction has come to its end, as far as this copy goes."""
        auction = self.replay.auction
        return auction is not None and auction.outcome is not None


class RegistryReplica(LogReplica[RegistryApplied]):
    """The registry of ``house``."""

    def __init__(self, house: Identity) -> None:
        self.replay = RegistryReplay(house.signing)
        super().__init__(house, REGISTRY, REGISTRY_ID, self.replay)
