"""A store in a cluster of NATS servers: for a house that outlives a machine (DESIGN.md sections 9 and 10).

Rule: the contract of :mod:`auctionctl.store.log_store`, with the cluster's agreement in the place of a disk's sync. One
subject a log, for entries and claims alike, and every message goes behind the one that this store knows as its last: so
whoever has been overtaken by another instance cannot write, whatever it believes. A group is one atomic batch.

What every log has, and where, is read from the headers when the store is opened, and kept in memory: some 20 bytes a
message. Nothing is ever taken out of the stream: a log that is removed is marked so, and its room not given back.
"""

from __future__ import annotations

import secrets
import time
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from auctionctl.errors import ConfigurationError, OvertakenError, StoreBrokenError, StoreError
from auctionctl.store.cluster_address import ClusterAddress, Durability
from auctionctl.store.cluster_mark import ClusterMark
from auctionctl.store.cluster_monitor import (
    Holders,
    Monitored,
    ask_monitors,
    find_unseen,
    holders_of,
    sync_faults,
)
from auctionctl.store.jetstream import MAX_BATCH_MESSAGES, STREAM_NOT_FOUND, Answer, JetStream, PlaceTakenError, Stored
from auctionctl.store.log_store import Append, LogStore, check_appends, check_name, check_time, extent
from auctionctl.store.stream_records import (
    Alive,
    Claim,
    Entries,
    Message,
    Opened,
    Record,
    Removed,
    count_in,
    join,
    log_named,
    read_header,
    split,
    subject_word,
    write_header,
)
from auctionctl.store.stream_settings import REPLICAS, Fault, Streams

PATIENCE_S: Final = 30.0
"""An election takes 5 to 7 s; a house that waits longer than this is better started again when the cluster is back."""
ABSENCE_S: Final = 5.0
"""By then a cluster has missed a server that went down."""
LOOK_AGAIN_S: Final = 0.25
CHUNK_MESSAGES: Final = 256
"""Messages fetched at once, of at most 256 KiB each."""
MIN_VERSION: Final = (2, 12, 1)
"""From here on batches are atomic, and messages of a batch are known again."""
_NO_REPLICAS: Final = frozenset({10005, 10074})


class _Log:
    """One log: the last message under its subject, and which entries each message with entries begins with."""

    __slots__ = ("epoch", "firsts", "last", "sequences", "size", "subject")

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.last = 0
        self.epoch = 0
        self.clear()

    def clear(self) -> None:
        """It has no entries."""
        self.size = 0
        self.firsts = array("q")
        self.sequences = array("q")


class ClusterStore(LogStore):
    """Logs in a cluster; see :class:`auctionctl.store.log_store.LogStore` for what each method promises.

    Beyond the contract, what :class:`auctionctl.store.sqlite.SqliteStore` has as well: a house runs on either.
    """

    def __init__(
        self,
        address: ClusterAddress,
        house: str,
        *,
        instance: str = "main",
        durability: Durability = Durability.REQUIRED,
        mark: ClusterMark | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Connect, check the streams of the house with the signing key ``house`` (hex), or make them; read them.

        Time: 0.15 ms a message. ``instance`` names this instance of the house among others, ``patience_s`` bounds every
        wait for the cluster. ``mark`` says what this machine has written before, and is kept up.

        :raises StoreAwayError: no answer, or no quorum
        :raises ConfigurationError: what is there is not durable, is set up in another way, or is another house's
        :raises StoreError: what is stored is no store, or has a hole
        """
        check_name(instance)
        self._trouble = ""
        self._closed = False
        self._streams = Streams(house)
        self._instance = instance
        self._writer = secrets.token_hex(8)
        self._logs: dict[str, _Log] = {}
        self._held: dict[str, _Log] = {}
        """Those with entries, in the order of their first."""
        self._last_alive_ns: int | None = None
        self._sign_subject = f"{self._streams.signs}.{subject_word(instance)}"
        self._sign_last = 0
        self._mark = mark
        self._resources = ExitStack()
        self._written = (0, "")
        """Number and id of the last message that is known to be stored."""
        self.size_bytes = 0
        """How large the logs are on each server, as far as this store knows."""
        self.accepted: tuple[Fault, ...] = ()
        """What is wrong with the cluster and was allowed."""
        self._link = JetStream(address, patience_s)
        try:
            self._check(address, durability)
            self._load()
        except BaseException:
            self._link.close()
            raise

    # The contract

    def append(self, appends: Sequence[Append], now_ns: int) -> None:
        """As the contract says; one message a log and 256 KiB, in one atomic batch if there are several.

        Time: 2 to 3 ms for a message, 8 ms for 64 in one batch.
        """
        self._require_usable()
        check_time(now_ns)
        check_appends(appends, self.size)
        shares: dict[str, list[bytes]] = {}
        for share in appends:
            if share.entries:
                shares.setdefault(share.log, []).extend(share.entries)
        if not shares:
            self.alive(now_ns)
            return
        messages: list[Message] = []
        grown: list[tuple[str, _Log, int]] = []
        for name, entries in shares.items():
            log = self._logs.get(name) or self._new(name)
            first = log.size
            behind: int | None = log.last
            for payload in split(entries):
                record = Entries(now_ns, first, count_in(payload))
                header = write_header(record, self._writer)
                messages.append(Message(log.subject, behind, header, payload))
                grown.append((name, log, record.count))
                first, behind = first + record.count, None
        if len(messages) > MAX_BATCH_MESSAGES:
            raise StoreError(
                f"{len(messages)} messages are to be stored at once, and the cluster takes {MAX_BATCH_MESSAGES}",
                hint="hold fewer auctions at once",
            )
        last = self._commit(self._streams.logs, messages)
        self._written = (last, messages[-1].id)
        for sequence, (name, log, count) in enumerate(grown, last - len(messages) + 1):
            self._grow(name, log, sequence, count)
        self.size_bytes += sum(len(message.payload) for message in messages)
        self._note_alive(now_ns)

    def read(self, log: str, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
        """As the contract says; 256 messages at a time, each in 0.2 to 0.4 ms."""
        return self._iterate(log, extent(self.size(log), start, limit))

    def _iterate(self, name: str, indices: range) -> Iterator[bytes]:
        index = indices.start
        while index < indices.stop:
            self._require_usable()
            log = self._logs[name]
            first = bisect_right(log.firsts, index) - 1
            sequences = log.sequences[first : first + CHUNK_MESSAGES]
            last = bisect_right(log.firsts, indices.stop - 1)
            if last <= first:
                raise StoreError(f"log {name} cannot be read from entry {index} on: it has been removed")
            for message in self._link.get(self._streams.logs, log.subject, sequences[: last - first]):
                record = read_header(message.header)
                if not isinstance(record, Entries) or not record.first <= index < record.first + record.count:
                    raise StoreError(f"log {name} has something else than entry {index} in message {message.sequence}")
                entries = join(message.payload, record)
                for data in entries[index - record.first : indices.stop - record.first]:
                    self._require_usable()
                    yield data
                index = record.first + record.count

    def size(self, log: str) -> int:
        """As the contract says; from memory."""
        self._require_usable()
        found = self._held.get(log)
        return 0 if found is None else found.size

    def logs(self) -> list[tuple[str, int]]:
        """As the contract says; from memory."""
        self._require_usable()
        return [(name, log.size) for name, log in self._held.items()]

    def remove(self, log: str, expected_size: int) -> None:
        """As the contract says, but for the room: nothing goes out of the stream, and none is given back."""
        self._require_usable()
        check_appends([Append(log, expected_size, ())], self.size)
        if log in self._held:
            self._tell(self._held[log], Removed(expected_size))
            self._held.pop(log).clear()

    def claim(self, log: str, instance: str) -> int:
        """As the contract says; one message under the log's subject, behind which no other instance can write."""
        self._require_usable()
        check_name(log)
        check_name(instance)
        found = self._logs.get(log) or self._new(log)
        self._tell(found, Claim(found.epoch + 1, instance))
        self._logs[log] = found
        found.epoch += 1
        return found.epoch

    def alive(self, now_ns: int) -> None:
        """As the contract says; one message, or none if a later time is known."""
        self._require_usable()
        check_time(now_ns)
        if self._last_alive_ns is None or now_ns > self._last_alive_ns:
            self._sign(now_ns)
            self._note_alive(now_ns)

    def last_alive_ns(self) -> int | None:
        """As the contract says; from memory. The latest sign of life of any instance before this one was opened."""
        self._require_usable()
        return self._last_alive_ns

    def close(self) -> None:
        """As the contract says."""
        if not self._closed:
            self._closed = True
            self._link.close()
            self._keep_mark()
            self._resources.close()

    # Beyond the contract

    def hold(self, resources: ExitStack) -> None:
        """Give ``resources`` back when the store is closed."""
        self._resources = resources

    def maintain(self) -> None:
        """Note on this machine how far the stream has come; the servers look after their files themselves."""
        self._require_usable()
        self._keep_mark()

    def _keep_mark(self) -> None:
        if self._mark is not None and self._written[0]:
            self._mark.keep(*self._written)

    def release_ballast(self) -> int:
        """Nothing to let go of: the disks are the servers'. Returns 0."""
        return 0

    # Opening

    def _check(self, address: ClusterAddress, durability: Durability) -> None:
        """Raises ConfigurationError for what makes the cluster unfit, and for what may be lost, unless allowed."""
        version = self._link.server_version
        if version_numbers(version) < MIN_VERSION:
            raise ConfigurationError(
                f"the cluster runs nats-server {version}: batches are atomic from {dotted(MIN_VERSION)} on",
                hint="upgrade its servers, one after the other",
            )
        faults: list[Fault] = []
        infos = self._find_or_make(durability)
        for stream, info in infos.items():
            self._streams.check_owner(stream, info["config"])
            faults += self._streams.faults(stream, info["config"])
        faults += self._sync_faults(infos, address)
        for fault in faults:
            if not (fault.is_loss and durability is Durability.LOSSY):
                remedy = f"{fault.remedy}, or accept the loss: --allow-lossy" if fault.is_loss else fault.remedy
                raise ConfigurationError(fault.reason, hint=remedy)
        self.accepted = tuple(faults)

    def _sync_faults(self, infos: Mapping[str, Answer], address: ClusterAddress) -> list[Fault]:
        """Whether the servers with our streams sync; one that went down a moment ago is given time to be missed."""
        deadline_s = time.monotonic() + ABSENCE_S
        while True:
            answers = ask_monitors(address.monitors)
            if not any(isinstance(each, Monitored) for each in answers):
                deadline_s = 0.0  # Nobody is to be asked at all: there is nothing to wait for.
            # A server by itself says of no stream where it is.
            alone = Holders(frozenset(each.name if isinstance(each, Monitored) else each.place for each in answers))
            found = [holders if (holders := holders_of(info)).names else alone for info in infos.values()]
            unseen = {name for holders in found for name in find_unseen(holders, answers)}
            if not unseen or time.monotonic() >= deadline_s:
                if unseen and all(unseen & holders.names <= holders.absent for holders in found):
                    raise self._link.away(f"too many of its servers are down: {', '.join(sorted(unseen))}")
                faults = [fault for holders in found for fault in sync_faults(holders, answers)]
                return list(dict.fromkeys(faults))
            time.sleep(LOOK_AGAIN_S)
            infos = self._ask_each("INFO", dict.fromkeys(infos))

    def _find_or_make(self, durability: Durability) -> dict[str, Answer]:
        """What the cluster says of each of the two streams; those that are missing are made."""
        found = self._ask_each("INFO", dict.fromkeys((self._streams.logs, self._streams.signs)))
        missing = [stream for stream, answer in found.items() if _error_of(answer) == STREAM_NOT_FOUND]
        found |= self._make(missing, REPLICAS)
        if any(_error_of(answer) in _NO_REPLICAS for answer in found.values()):
            if durability is Durability.REQUIRED:
                raise ConfigurationError(
                    f"the cluster has no {REPLICAS} servers for {REPLICAS} replicas",
                    hint=f"run {REPLICAS} servers with JetStream in one cluster, or accept the loss: --allow-lossy",
                )
            found |= self._make(missing, 1)
        for stream, answer in found.items():
            if error := answer.get("error"):
                raise StoreError(
                    f"the cluster has no stream {stream} for us: {error.get('description')}",
                    hint="JetStream must be on for this account, with room for the stream",
                )
        return found

    def _make(self, streams: Sequence[str], replicas: int) -> dict[str, Answer]:
        return self._ask_each("CREATE", {stream: self._streams.settings(stream, replicas) for stream in streams})

    def _ask_each(self, what: str, contents: Mapping[str, Answer | None]) -> dict[str, Answer]:
        """What the cluster answers to STREAM.``what`` of each stream."""
        asked = {f"STREAM.{what}.{stream}": content for stream, content in contents.items()}
        return dict(zip(contents, self._link.request_all(asked).values(), strict=True))

    def _load(self) -> None:
        """Read what every log has. What others acknowledged before is all there: a message of our own comes behind."""
        streams = self._streams
        barrier = Message(
            f"{streams.logs}.opened.{subject_word(self._instance)}",
            None,
            write_header(Opened(self._instance), self._writer),
        )
        self._check_mark()
        until = self._link.commit(streams.logs, [barrier])
        self._logs, self._held = {}, {}
        self._link.scan(streams.logs, f"{streams.logs}.>", 1, until, self._take)
        infos = self._ask_each("INFO", dict.fromkeys((streams.logs, streams.signs)))
        self.size_bytes = int(infos[streams.logs]["state"]["bytes"])
        self._load_signs(infos[streams.signs]["state"])

    def _check_mark(self) -> None:
        """Raises StoreError if the stream does not hold what this machine has written to it."""
        if self._mark is None or (written := self._mark.read()) is None:
            return
        sequence, message_id = written
        found = self._link.find(self._streams.logs, sequence)
        if found is None or found.id != message_id:
            raise StoreError(
                f"the stream {self._streams.logs} does not hold message {sequence}, which this house has written to it:"
                " it has been rolled back",
                hint=f"restore a newer backup of it; to lose what was acknowledged since, remove {self._mark.path}",
            )

    def _load_signs(self, state: Mapping[str, int]) -> None:
        """When instances were alive, and which is the last sign of ours."""
        signs, until = self._streams.signs, state["last_seq"]
        if state["messages"]:
            self._link.scan(signs, f"{signs}.>", 1, until, self._take_sign)

    def _take_sign(self, message: Stored) -> None:
        record = read_header(message.header)
        if not isinstance(record, Alive):
            raise StoreError(f"message {message.sequence} of {self._streams.signs} is no sign of life")
        self._note_alive(record.time_ns)
        if message.subject == self._sign_subject:
            self._sign_last = message.sequence

    def _take(self, message: Stored) -> None:
        """One message of the logs, in the order in which they were stored."""
        record = read_header(message.header)
        self._written = (message.sequence, message.id)
        if isinstance(record, Opened):
            return
        words = message.subject.split(".")
        if len(words) != 3 or words[1] != "log" or isinstance(record, Alive):
            raise self._damaged(message, "belongs to no log")
        name = log_named(words[2])
        log = self._logs.setdefault(name, _Log(message.subject))
        match record:
            case Entries(time_ns, first, count):
                if first != log.size:
                    raise self._damaged(message, f"has entry {first} of log {name}, behind {log.size} entries")
                self._grow(name, log, message.sequence, count)
                self._note_alive(time_ns)
            case Claim(epoch, _):
                if epoch <= log.epoch:
                    raise self._damaged(message, f"claims epoch {epoch} of log {name} a second time")
                log.epoch = epoch
            case Removed():
                log.clear()
                self._held.pop(name, None)
        log.last = message.sequence

    def _damaged(self, message: Stored, how: str) -> StoreError:
        return StoreError(
            f"message {message.sequence} of the stream {self._streams.logs} {how}",
            hint="restore the stream from a backup; what is missing was once answered for",
        )

    # Writing

    def _require_usable(self) -> None:
        if self._trouble:
            raise StoreBrokenError(f"durability is unknown since {self._trouble}", hint="end the process")
        if self._closed:
            raise StoreError("the store is closed")

    def _new(self, name: str) -> _Log:
        return _Log(f"{self._streams.logs}.log.{subject_word(name)}")

    def _grow(self, name: str, log: _Log, sequence: int, count: int) -> None:
        log.firsts.append(log.size)
        log.sequences.append(sequence)
        log.size += count
        log.last = sequence
        self._logs[name] = self._held[name] = log

    def _note_alive(self, now_ns: int) -> None:
        self._last_alive_ns = max(now_ns, self._last_alive_ns or 0)

    def _tell(self, log: _Log, record: Record) -> None:
        """Store a record without entries behind the last message of ``log``."""
        message = Message(log.subject, log.last, write_header(record, self._writer))
        log.last = self._commit(self._streams.logs, [message])

    def _sign(self, now_ns: int) -> None:
        message = Message(self._sign_subject, self._sign_last, write_header(Alive(now_ns), self._writer))
        self._sign_last = self._commit(self._streams.signs, [message])

    def _commit(self, stream: str, messages: Sequence[Message]) -> int:
        with self._writing():
            return self._link.commit(stream, messages)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell apart the ends of a write: done; not done; unknown, and then nothing goes on."""
        self._trouble = "a write was interrupted"
        try:
            yield
        except PlaceTakenError as error:
            self._trouble = ""
            raise self._overtaken(error.subject) from error
        except StoreBrokenError as error:
            self._trouble = str(error)
            raise
        except StoreError:
            self._trouble = ""
            raise
        self._trouble = ""

    def _overtaken(self, subject: str) -> StoreError:
        """What is to be said of a log that another instance has written to, as it is now."""
        if subject == self._sign_subject:
            return StoreError(
                f"another process runs this house as its instance {self._instance}",
                hint="let one of them go on; what was acknowledged is kept",
            )
        name = log_named(subject.rpartition(".")[2])
        expected = self._held[name].size if name in self._held else 0
        self._load()
        return OvertakenError(name, expected=expected, actual=self.size(name))


def _error_of(answer: Answer) -> int:
    """The code of the error that ``answer`` says; 0 for none."""
    return int((answer.get("error") or {}).get("err_code", 0))


def version_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a server's version, such as ``2.12.1-RC.1``."""
    numbers = text.partition("-")[0].split(".")
    return tuple(int(number) for number in numbers if number.isdigit())


def dotted(version: tuple[int, ...]) -> str:
    """The numbers of a version as people write them."""
    return ".".join(map(str, version))
