"""What the instances of a house in a cluster tell one another beside the logs: that they live, whom they let in, and
how much they take of anybody.

Rule: the last word under a subject counts, and nobody writes behind a word that it does not know, nor, once it signs,
behind another one's in the place of its own sign, however it hears of it: two processes under one instance's name find
each other out, and of two changes of the same at once one is told to look again. When an instance was last heard, each
other one judges by its own clock: see :mod:`auctionctl.house.instances`; but whoever takes over from it first writes in
the place of its next sign, so that it learns of that before it says anything more.
"""

from __future__ import annotations

import enum
import zlib
from typing import Final

import msgspec

from auctionctl.errors import StoreError
from auctionctl.store.cluster_index import read_record
from auctionctl.store.jetstream import JetStream, PlaceTakenError, Stored
from auctionctl.store.stream_records import (
    Alive,
    Allowed,
    Deposed,
    Limited,
    Message,
    log_named,
    read_header,
    subject_word,
    write_header,
)

MAX_SHARED_BYTES: Final = 4 << 20
MAX_MESSAGE_BYTES: Final = 900_000
"""What a compressed list may come to; a server takes 1 MiB in a message unless it is set up otherwise."""


class Shared(enum.Enum):
    """What all instances have one of, by the end of its subject."""

    ALLOW_LIST = "shared.allow"
    LIMITS = "shared.limits"

    @property
    def words(self) -> str:
        """What it is called."""
        return "allow list" if self is Shared.ALLOW_LIST else "list of limits"


class Sign(msgspec.Struct, frozen=True):
    """An instance's last sign of life: ``sequence`` is another one each time, whatever its clock says."""

    instance: str
    time_ns: int
    endpoint: str
    holds: int
    sequence: int
    latest_ns: int
    """What it has said may be dated by this, and later: bidders may have been able to reach it no more before then."""
    is_deposed: bool = False
    """Whether another one has taken it for dead since."""


class SharedList(msgspec.Struct, frozen=True):
    """The text of what all instances have one of, as it is since ``time_ns``."""

    text: bytes
    time_ns: int


class ClusterSigns:
    """The stream named ``stream``, as the instance ``instance`` writes to it under ``writer``."""

    def __init__(self, link: JetStream, stream: str, instance: str, writer: str) -> None:
        self._link = link
        self._stream = stream
        self._writer = writer
        self._instance = instance
        self._is_signing = False
        """Whether this process has begun to sign: before, what comes under its name is of the one that had it."""
        self.subject = f"{stream}.{subject_word(instance)}"
        """Where this instance signs."""
        self._subjects = {f"{stream}.{about.value}": about for about in Shared}
        self._shared_last = dict.fromkeys(Shared, 0)
        self.signs: dict[str, Sign] = {}
        """The last one of each instance."""
        self.shared: dict[Shared, SharedList] = {}
        self.position = 0
        """The number of the last message taken."""

    def load(self, until: int) -> None:
        """Read what there is up to the message ``until``, which is there. Errors as for the store."""
        if until:
            self._link.scan(self._stream, f"{self._stream}.>", 1, until, self._take_header)
        for last in self._shared_last.values():
            if last and (found := self._link.find(self._stream, last)) is not None:
                self.take(found)

    def _take_header(self, message: Stored) -> None:
        about = self._subjects.get(message.subject)
        if about is not None:
            self._shared_last[about] = message.sequence
            self.position = message.sequence
        else:
            self.take(message)

    def take(self, message: Stored) -> None:
        """One message, in the order in which they are stored. Raises StoreError where it says nothing of this."""
        self.position = max(message.sequence, self.position)
        record = read_record(message, self._stream)
        about = self._subjects.get(message.subject)
        if about is not None and isinstance(record, Allowed | Limited):
            if message.sequence >= self._shared_last[about]:
                self._shared_last[about] = message.sequence
                self.shared[about] = SharedList(_unpack(message.payload, about), record.time_ns)
            return
        instance = log_named(message.subject.removeprefix(f"{self._stream}."))
        known = self.signs.get(instance)
        if known is not None and known.sequence >= message.sequence:
            return  # one of our own, which this store knew when it had written it
        if not isinstance(record, Alive | Deposed):
            raise StoreError(f"message {message.sequence} of {self._stream} is no sign of life")
        if self._is_signing and instance == self._instance and not message.header.endswith(f" {self._writer}"):
            return  # It stands in the way of the next sign, and whoever gives that learns of it there.
        self._note(instance, record, message.sequence)

    def _note(self, instance: str, record: Alive | Deposed, sequence: int) -> None:
        """``record`` is the last word under the subject of ``instance`` now."""
        known = self.signs.get(instance)
        latest_ns = max(record.time_ns, record.latest_ns, 0 if known is None else known.latest_ns)
        if isinstance(record, Alive):
            sign = Sign(instance, record.time_ns, record.endpoint, record.holds, sequence, latest_ns)
        else:
            sign = Sign(instance, record.time_ns, record.endpoint, 0, sequence, latest_ns, is_deposed=True)
        self.signs[instance] = sign

    @property
    def last_time_ns(self) -> int | None:
        """The latest sign of any instance."""
        return max((sign.time_ns for sign in self.signs.values()), default=None)

    def put(self, record: Alive) -> bool:
        """This instance is alive; False if it was deposed: then it may sign again, and holds nothing any more.

        Raises StoreError if another process goes under its name, and as for a write.
        """
        self._is_signing = True
        known = self.signs.get(self._instance)
        if known is not None and known.latest_ns > max(record.time_ns, record.latest_ns):
            # The stream keeps no more than the last sign.
            record = msgspec.structs.replace(record, latest_ns=known.latest_ns)
        if (sequence := self._write(self._instance, record)) is not None:
            self._note(self._instance, record, sequence)
            return True
        found = self._link.find_last(self._stream, self.subject)
        word = None if found is None else read_header(found.header)
        if found is None or not isinstance(word, Deposed):
            raise under_one_name(self._instance)
        self._note(self._instance, word, found.sequence)
        return False

    def depose(self, instance: str) -> bool:
        """Take ``instance`` for dead, in the place of its next sign, or end this one in order; False if it has signed.

        Errors as for a write.

        Afterwards :attr:`signs` has its last time: whatever it has said it has said by then. One that is deposed as far
        as is known here may have signed since: only what is written behind that says that it has not.
        """
        sign = self.signs[instance]
        endpoint = "" if instance == self._instance else sign.endpoint
        deposed = Deposed(sign.time_ns, sign.latest_ns if sign.latest_ns > sign.time_ns else 0, endpoint)
        sequence = self._write(instance, deposed)
        if sequence is None:
            return False
        self._note(instance, deposed, sequence)
        return True

    def _write(self, instance: str, record: Alive | Deposed) -> int | None:
        """The number of a message behind the last known one under the subject of ``instance``; None if it is not so."""
        last = self.signs[instance].sequence if instance in self.signs else 0
        message = Message(f"{self._stream}.{subject_word(instance)}", last, write_header(record, self._writer))
        try:
            return self._link.commit(self._stream, [message])
        except PlaceTakenError:
            return None

    def share(self, about: Shared, text: bytes, time_ns: int) -> bool:
        """Have ``text`` be that of all; False if another instance was first: its text comes. Else as above.

        Raises StoreError for one that is too large to be shared.
        """
        payload = zlib.compress(text)
        if len(payload) > MAX_MESSAGE_BYTES:
            raise StoreError(
                f"the {about.words} is {len(payload)} bytes compressed, and instances share {MAX_MESSAGE_BYTES}",
                hint="take keys off it that nobody uses any more",
            )
        record = Allowed(time_ns) if about is Shared.ALLOW_LIST else Limited(time_ns)
        subject = f"{self._stream}.{about.value}"
        message = Message(subject, self._shared_last[about], write_header(record, self._writer), payload)
        try:
            self._shared_last[about] = self._link.commit(self._stream, [message])
        except PlaceTakenError:
            return False
        self.shared[about] = SharedList(text, time_ns)
        return True


def under_one_name(instance: str) -> StoreError:
    """What is to be said where another process writes under the name of this one's instance."""
    return StoreError(
        f"another process runs this house as its instance {instance}",
        hint="let one of them go on; what was acknowledged is kept",
    )


def _unpack(payload: bytes, about: Shared) -> bytes:
    """The text that was compressed. Raises StoreError where it is none, or larger than any."""
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(payload, MAX_SHARED_BYTES)
    except zlib.error as error:
        raise StoreError(f"the {about.words} of all instances cannot be read: {error}") from error
    if not unpacking.eof:
        raise StoreError(f"the {about.words} of all instances cannot be read: it is too long")
    return text
