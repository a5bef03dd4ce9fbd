"""What every log in a cluster has, where in the stream, and who holds it: some 20 bytes of memory a message.

Rule: it says of each log what the stream says up to the last message that was taken, and what this store has written
since; a message that does not follow what is known of its log is damage, and no reason to guess. Pure.
"""

from __future__ import annotations

from array import array
from typing import Final

from auctionctl.errors import StoreError
from auctionctl.store.jetstream import Stored
from auctionctl.store.stream_records import (
    Alive,
    Allowed,
    Claim,
    Deposed,
    Entries,
    Opened,
    Record,
    Removed,
    log_named,
    read_header,
    subject_word,
)

LOG_WORD: Final = "log"
STRANGE_HINT: Final = "let nobody else write to the stream, restore it from a backup, or take a later auctionctl"


class IndexedLog:
    """One log: the last message under its subject, and which entries each message with entries begins with."""

    __slots__ = ("claims", "epoch", "firsts", "given_ns", "holder", "last", "sequences", "since_ns", "size", "subject")

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.last = 0
        self.epoch = 0
        self.holder = ""
        """The instance that has claimed it last."""
        self.given_ns = 0
        """When that was, where it is known."""
        self.since_ns = 0
        """Until when somebody looked after it before that."""
        self.claims = array("q")
        """Both of these for each holder that it has had, one after the other."""
        self.clear()

    def left_ns(self, at_ns: int) -> int:
        """Until when whoever had it at ``at_ns`` looked after it; 0 where that one has it still, or it is not known."""
        claims = zip(self.claims[::2], self.claims[1::2], strict=True)
        return next((since_ns for given_ns, since_ns in claims if given_ns > at_ns), 0)

    def clear(self) -> None:
        """It has no entries."""
        self.size = 0
        self.firsts = array("q")
        self.sequences = array("q")


class ClusterIndex:
    """The logs in the stream named ``stream``."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self.logs: dict[str, IndexedLog] = {}
        self.held: dict[str, IndexedLog] = {}
        """Those with entries, in the order of their first."""
        self.position = 0
        """The number of the last message taken."""
        self.written = (0, "")
        """Number and id of the last message that is known to be stored."""
        self.last_time_ns: int | None = None
        """The latest time at which entries were appended."""

    def find(self, name: str) -> IndexedLog:
        """The log of this name, or a new one, which :meth:`grow` or :meth:`claim` takes in."""
        return self.logs.get(name) or IndexedLog(f"{self._stream}.{LOG_WORD}.{subject_word(name)}")

    def take(self, message: Stored, writer: str) -> tuple[str, Record] | None:
        """One message, in the order in which they are stored: the log that it is of, and what it says.

        None where it is of no log, or by ``writer``, whose messages are here already. Raises StoreError for damage.
        """
        record = read_record(message, self._stream)
        self.position = message.sequence
        self.note_written(message.sequence, message.id)
        if isinstance(record, Opened) or message.header.endswith(f" {writer}"):
            return None
        words = message.subject.split(".")
        if len(words) != 3 or words[1] != LOG_WORD or isinstance(record, Alive | Deposed | Allowed):
            raise self._damaged(message, "belongs to no log")
        name = log_named(words[2])
        log = self.logs.setdefault(name, IndexedLog(message.subject))
        match record:
            case Entries(time_ns, first, count):
                if first != log.size:
                    raise self._damaged(message, f"has entry {first} of log {name}, behind {log.size} entries")
                self.grow(name, log, message.sequence, count)
                self.note_time(time_ns)
            case Claim(epoch):
                if epoch <= log.epoch:
                    raise self._damaged(message, f"claims epoch {epoch} of log {name} a second time")
                self.claim(name, log, message.sequence, record)
            case Removed():
                self.remove(name, message.sequence)
        return name, record

    def grow(self, name: str, log: IndexedLog, sequence: int, count: int) -> None:
        """``count`` entries more, in the message with this number."""
        log.firsts.append(log.size)
        log.sequences.append(sequence)
        log.size += count
        log.last = sequence
        self.logs[name] = self.held[name] = log

    def claim(self, name: str, log: IndexedLog, sequence: int, record: Claim) -> None:
        """Another holder, by the message with this number."""
        log.epoch, log.holder, log.last = record.epoch, record.instance, sequence
        log.given_ns, log.since_ns = record.time_ns, record.since_ns or record.time_ns
        log.claims.extend((log.given_ns, log.since_ns))
        self.logs[name] = log

    def remove(self, name: str, sequence: int) -> None:
        """The log has no entries any more."""
        log = self.logs[name]
        log.clear()
        log.last = sequence
        self.held.pop(name, None)

    def note_written(self, sequence: int, message_id: str) -> None:
        """This message is stored."""
        if sequence > self.written[0]:
            self.written = (sequence, message_id)

    def note_time(self, time_ns: int) -> None:
        """Entries were appended then."""
        self.last_time_ns = max(time_ns, self.last_time_ns or 0)

    def _damaged(self, message: Stored, how: str) -> StoreError:
        return StoreError(
            f"message {message.sequence} of the stream {self._stream} {how}",
            hint="restore the stream from a backup; what is missing was once answered for",
        )


def read_record(message: Stored, stream: str) -> Record:
    """What ``message`` of ``stream`` says. Raises StoreError where this house cannot have written it."""
    try:
        return read_header(message.header)
    except StoreError as error:
        raise StoreError(
            f"message {message.sequence} of the stream {stream} is none that this house writes: {error}",
            hint=STRANGE_HINT,
        ) from error
