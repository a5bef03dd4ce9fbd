"""A store in a cluster of NATS servers: for a house that outlives a machine (DESIGN.md sections 9 and 10).

Rule: the contract of :mod:`auctionctl.store.log_store`, with the cluster's agreement in the place of a disk's sync. One
subject a log, for entries and claims alike, and every message goes behind the one that this store knows as its last: so
whoever has been overtaken by another instance cannot write, whatever it believes. A group is one atomic batch.

What every log has, and where, is read from the headers when the store is opened, and kept in memory: some 20 bytes a
message. Nothing is ever taken out of the stream: a log that is removed is marked so, and its room not given back.
"""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from auctionctl.errors import OvertakenError, RolledBackError, StoreBrokenError, StoreError
from auctionctl.store.cluster_address import ClusterAddress, Durability
from auctionctl.store.cluster_changes import Change, Claimed, Forgotten, Grown
from auctionctl.store.cluster_index import ClusterIndex, IndexedLog
from auctionctl.store.cluster_mark import ClusterMark
from auctionctl.store.cluster_signs import ClusterSigns, Shared, SharedList, Sign
from auctionctl.store.cluster_streams import ClusterStreams
from auctionctl.store.jetstream import MAX_BATCH_MESSAGES, JetStream, PlaceTakenError, Stored
from auctionctl.store.log_store import Append, LogStore, check_appends, check_name, check_time, extent
from auctionctl.store.read_ahead import ReadAhead
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
from auctionctl.store.stream_settings import Fault, Streams
from auctionctl.store.stream_tail import StreamTail

PATIENCE_S: Final = 30.0
"""An election takes 5 to 7 s; a house that waits longer than this is better started again when the cluster is back."""
TOLD_ENTRIES: Final = 2_000
"""What a house takes in at once: some 50 ms."""
CHUNK_MESSAGES: Final = 256
"""Messages fetched at once, of at most 256 KiB each."""


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
        :raises RolledBackError: what is stored lacks what ``mark`` says
        :raises StoreError: what is stored is no store, or has a hole
        """
        check_name(instance)
        self._trouble = ""
        self._closed = False
        self._streams = Streams(house)
        self._instance = instance
        self._writer = secrets.token_hex(8)
        self._index = ClusterIndex(self._streams.logs)
        self._changes: list[Change] = []
        self._tails: tuple[StreamTail, StreamTail] | None = None
        self._patience_s = patience_s
        self._mark = mark
        self._resources = ExitStack()
        self.size_bytes = 0
        """How large the logs are on each server, as far as this store knows."""
        self.accepted: tuple[Fault, ...] = ()
        """What is wrong with the cluster and was allowed."""
        self._link = JetStream(address, patience_s)
        self._ahead = ReadAhead(self._link, self._streams.logs)
        self._signs = ClusterSigns(self._link, self._streams.signs, instance, self._writer)
        try:
            self.servers = found = ClusterStreams(self._link, self._streams)
            self.accepted = found.check(address, durability)
            self._load(found)
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
        self._check_told(share.log for share in appends)
        check_appends(appends, self.size)
        shares: dict[str, list[bytes]] = {}
        for share in appends:
            if share.entries:
                shares.setdefault(share.log, []).extend(share.entries)
        if not shares:
            self.alive(now_ns)
            return
        messages: list[Message] = []
        grown: list[tuple[str, IndexedLog, int]] = []
        for name, entries in shares.items():
            log = self._index.find(name)
            first = log.size
            behind: int | None = log.last
            for payload in split(entries):
                record = Entries(now_ns, first, count_in(payload))
                header = write_header(record, self._writer)
                messages.append(Message(log.subject, behind, header, payload))
                grown.append((name, log, record.count))
                first, behind = first + record.count, None
        for sequence, (name, log, count) in enumerate(grown, self._commit(messages)):
            self._index.grow(name, log, sequence, count)
        self.size_bytes += sum(len(message.payload) for message in messages)
        self._index.note_time(now_ns)

    def read(self, log: str, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
        """As the contract says; 256 messages at a time, each in 0.2 to 0.4 ms."""
        return self._iterate(log, extent(self.size(log), start, limit))

    def _iterate(self, name: str, indices: range) -> Iterator[bytes]:
        index = indices.start
        while index < indices.stop:
            self._require_usable()
            log = self._index.logs[name]
            first = bisect_right(log.firsts, index) - 1
            sequences = log.sequences[first : first + CHUNK_MESSAGES]
            last = bisect_right(log.firsts, indices.stop - 1)
            if last <= first:
                raise StoreError(f"log {name} cannot be read from entry {index} on: it has been removed")
            for message in self._ahead.get(log.subject, sequences[: last - first]):
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
        found = self._index.held.get(log)
        return 0 if found is None else found.size

    def logs(self) -> list[tuple[str, int]]:
        """As the contract says; from memory."""
        self._require_usable()
        return [(name, log.size) for name, log in self._index.held.items()]

    def remove(self, log: str, expected_size: int) -> None:
        """As the contract says, but for the room: nothing goes out of the stream, and none is given back."""
        self._require_usable()
        check_appends([Append(log, expected_size, ())], self.size)
        if log in self._index.held:
            self._index.remove(log, self._tell([(self._index.held[log], Removed(expected_size))]))

    def claim(self, log: str, instance: str) -> int:
        """As the contract says; one message under the log's subject, behind which no other instance can write."""
        return self.give([log], instance, 0)[log]

    def alive(self, now_ns: int) -> None:
        """As the contract says; one message, or none if a later time is known."""
        self._require_usable()
        check_time(now_ns)
        if now_ns > (self.last_alive_ns() or -1) and not self._sign(Alive(now_ns)):
            raise StoreError(
                f"another instance of this house has taken {self._instance} for dead",
                hint="let it serve as one of several, or alone; what was acknowledged is kept",
            )

    def last_alive_ns(self) -> int | None:
        """As the contract says; from memory. The latest sign of life of any instance that this store knows of."""
        self._require_usable()
        return max(
            (each for each in (self._index.last_time_ns, self._signs.last_time_ns) if each is not None), default=None
        )

    def close(self) -> None:
        """As the contract says."""
        if not self._closed:
            self._closed = True
            for tail in self._tails or ():
                tail.close()
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
        self._ahead.forget()
        self._keep_mark()

    def _keep_mark(self) -> None:
        if self._mark is not None and self._index.written[0]:
            self._mark.keep(*self._index.written)

    def release_ballast(self) -> int:
        """Nothing to let go of: the disks are the servers'. Returns 0."""
        return 0

    # Among several instances

    def refresh(self) -> list[Change]:
        """What other instances have written since the last call, log by log in the order in which it was stored.

        From the first call on, it comes by itself: this takes what is there, and waits for nothing. What this store has
        written is not among it. Of much, a part is told at a time: see :meth:`is_behind`. Raises StoreError for what is
        stored and is no record, and StoreBrokenError, as does everything then, if nothing can come any more.
        """
        self._require_usable()
        if self._tails is None:
            self._ahead.forget()
            self._tails = (
                StreamTail(self._link, self._streams.logs, self._index.position, self._writer),
                StreamTail(self._link, self._streams.signs, self._signs.position),
            )
        of_logs, of_signs = self._tails
        try:
            self._follow(of_logs)
            for message in of_signs.take():
                self._signs.take(message)
        except StoreError as error:
            # What came behind this is taken and not known: nothing goes on.
            self._trouble = str(error)
            raise
        count = entries = 0
        while count < len(self._changes) and entries < TOLD_ENTRIES:
            change = self._changes[count]
            entries += len(change.entries) if isinstance(change, Grown) else 1
            count += 1
        told, self._changes = self._changes[:count], self._changes[count:]
        return told

    def is_behind(self) -> bool:
        """Whether there is more to tell than the last :meth:`refresh` has: to be called again soon."""
        return bool(self._changes)

    def give(
        self, logs: Sequence[str], instance: str, now_ns: int, since_ns: Mapping[str, int] | None = None
    ) -> dict[str, int]:
        """Claim ``logs`` in the name of ``instance``, this one or another, all or none; returns the epoch of each.

        From there on this store writes to them no more than ``instance`` lets it: it has to stop by itself where they
        are another's. Durable on return. ``now_ns`` says since when, and ``since_ns`` from when on nobody has looked
        after a log, if that was before. Errors: as for :meth:`append`.
        """
        self._require_usable()
        check_name(instance)
        check_time(now_ns)
        since_ns = since_ns or {}
        for name in logs:
            check_name(name)
            check_time(since_ns.get(name, 0))
        self._check_told(logs)
        found = {name: self._index.find(name) for name in logs}
        claims = {name: Claim(log.epoch + 1, instance, now_ns, since_ns.get(name, 0)) for name, log in found.items()}
        names = list(found)
        for begin in range(0, len(names), MAX_BATCH_MESSAGES):
            share = names[begin : begin + MAX_BATCH_MESSAGES]
            first = self._tell([(found[name], claims[name]) for name in share])
            for sequence, name in enumerate(share, first):
                self._index.claim(name, found[name], sequence, claims[name])
        return {name: claim.epoch for name, claim in claims.items()}

    def holder_of(self, log: str) -> tuple[int, str] | None:
        """The epoch and the instance of the last claim of ``log``; None if there was none. From memory."""
        self._require_usable()
        found = self._index.logs.get(log)
        return None if found is None or not found.epoch else (found.epoch, found.holder)

    def given_ns(self, log: str) -> int:
        """When ``log`` got its holder, by the clock of whoever wrote the claim; 0 where that was not said."""
        self._require_usable()
        found = self._index.logs.get(log)
        return 0 if found is None else found.given_ns

    def unwritten_ns(self, log: str) -> int:
        """From when on nobody looked after ``log`` until its holder goes on with it; 0 where that was not said."""
        self._require_usable()
        found = self._index.logs.get(log)
        return 0 if found is None else found.since_ns

    def left_ns(self, log: str, at_ns: int) -> int:
        """Until when the holder that ``log`` had at ``at_ns`` looked after it; 0 where that one has it still."""
        self._require_usable()
        found = self._index.logs.get(log)
        return 0 if found is None else found.left_ns(at_ns)

    def sign(self, now_ns: int, endpoint: str, holds: int, latest_ns: int = 0) -> bool:
        """Tell the others that this instance lives, where it serves, and how many logs it holds. As :meth:`alive`.

        ``latest_ns``, if it is later, is the time by which what this instance says is dated.
        False if another one has deposed it: it holds nothing any more, whatever the claims say, until it claims anew.
        """
        self._require_usable()
        check_time(now_ns)
        check_time(latest_ns)
        return self._sign(Alive(now_ns, endpoint, holds, latest_ns if latest_ns > now_ns else 0))

    def reach(self) -> None:
        """Return when the stream of the logs has a leader that answers. Raises StoreAwayError if none does in time."""
        self._require_usable()
        self._link.find(self._streams.logs, max(1, self._index.written[0]))

    def depose(self, instance: str) -> bool:
        """Take ``instance`` for dead; False if it has signed since the last :meth:`refresh`. Errors as :meth:`alive`.

        Durable on return: it learns of it at its next sign, and its last one is what :meth:`signs` has.
        """
        self._require_usable()
        with self._writing():
            return self._signs.depose(instance)

    def signs(self) -> list[Sign]:
        """The last sign of life of each instance that ever was, by name; as of the last :meth:`refresh`."""
        self._require_usable()
        return sorted(self._signs.signs.values(), key=lambda sign: sign.instance)

    def heard(self) -> int:
        """The number of the last sign that came back from the cluster, be it this instance's own. From memory."""
        self._require_usable()
        return self._signs.position

    def share(self, text: bytes, now_ns: int, about: Shared = Shared.ALLOW_LIST) -> bool:
        """Have ``text`` be that of what all instances have one of; False if another one came first.

        What that one wrote is what :meth:`shared` gives after a :meth:`refresh`. Errors as for :meth:`alive`, and
        StoreError for one that is too large.
        """
        self._require_usable()
        check_time(now_ns)
        with self._writing():
            return self._signs.share(about, text, now_ns)

    def shared(self, about: Shared = Shared.ALLOW_LIST) -> SharedList | None:
        """What all instances have one of, as of the last :meth:`refresh`; None if there is none. From memory."""
        self._require_usable()
        return self._signs.shared.get(about)

    def _follow(self, tail: StreamTail) -> None:
        """Take what has come, and keep what is to be told of it."""
        for message in tail.take():
            taken = self._index.take(message, self._writer)
            if taken is None:
                continue
            name, record = taken
            if isinstance(record, Entries):
                self.size_bytes += len(message.payload)
                self._changes.append(Grown(name, record.first, tuple(join(message.payload, record))))
            elif isinstance(record, Claim):
                self._changes.append(
                    Claimed(name, record.epoch, record.instance, record.time_ns, record.since_ns or record.time_ns)
                )
            elif isinstance(record, Removed):
                self._changes.append(Forgotten(name, record.size))

    # Opening

    def _load(self, found: ClusterStreams) -> None:
        """Read what every log has."""
        self._check_mark()
        self._ahead.begin(int(found.states()[self._streams.logs]["bytes"]))
        self._catch_up()
        states = found.states()
        self.size_bytes = int(states[self._streams.logs]["bytes"])
        state = states[self._streams.signs]
        self._signs.load(state["last_seq"] if state["messages"] else 0)

    def _catch_up(self) -> None:
        """Read what is new. What others acknowledged before is all there: a message of our own comes behind."""
        stream = self._streams.logs
        subject = f"{stream}.opened.{subject_word(self._instance)}"
        opened = write_header(Opened(self._instance), self._writer)
        # With something in it that is new: the servers would take it for the one before.
        until = self._link.commit(stream, [Message(subject, None, opened, str(self._index.position).encode())])

        def take(message: Stored) -> None:
            self._index.take(message, self._writer)

        self._ahead.scan(self._index.position + 1, until, take)

    def _check_mark(self) -> None:
        """Raises RolledBackError if the stream does not hold what this machine has written to it."""
        if self._mark is None or (written := self._mark.read()) is None:
            return
        sequence, message_id = written
        found = self._link.find(self._streams.logs, sequence)
        if found is None or found.id != message_id:
            raise RolledBackError(
                f"the stream {self._streams.logs} does not hold message {sequence}, which this house has written to it:"
                " it has been rolled back",
                hint=f"restore a newer backup of it; to lose what was acknowledged since, remove {self._mark.path}",
            )

    # Writing

    def _require_usable(self) -> None:
        if self._trouble:
            raise StoreBrokenError(f"durability is unknown since {self._trouble}", hint="end the process")
        if self._closed:
            raise StoreError("the store is closed")

    def _check_told(self, logs: Iterable[str]) -> None:
        """Refuse to write behind what another has written to one of ``logs``, and :meth:`refresh` has not told yet."""
        if self._changes:
            untold = {change.log for change in self._changes}
            if (name := next((log for log in logs if log in untold), None)) is not None:
                size = self.size(name)
                raise OvertakenError(name, expected=size, actual=size)

    def _tell(self, records: Sequence[tuple[IndexedLog, Record]]) -> int:
        """Store records without entries, each behind the last message of its log; the number of the first message."""
        return self._commit(
            [Message(log.subject, log.last, write_header(record, self._writer)) for log, record in records]
        )

    def _sign(self, record: Alive) -> bool:
        with self._writing():
            return self._signs.put(record)

    def _commit(self, messages: Sequence[Message]) -> int:
        """Store messages of logs, all or none; the number of the first."""
        if len(messages) > MAX_BATCH_MESSAGES:
            raise StoreError(
                f"{len(messages)} messages are to be stored at once, and the cluster takes {MAX_BATCH_MESSAGES}",
                hint="hold fewer auctions at once",
            )
        self._ahead.forget()
        with self._writing():
            last = self._link.commit(self._streams.logs, messages)
        self._index.note_written(last, messages[-1].id)
        return last - len(messages) + 1

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell apart the ends of a write: done; not done; unknown, and then nothing goes on."""
        self._trouble = "a write was interrupted"
        try:
            yield
        except PlaceTakenError as error:
            self._trouble = ""
            raise self._overtaken(error) from error
        except StoreBrokenError as error:
            self._trouble = str(error)
            raise
        except StoreError:
            self._trouble = ""
            raise
        self._trouble = ""

    def _overtaken(self, error: PlaceTakenError) -> OvertakenError:
        """What is to be said of a log that another instance has written to, as it is now."""
        name = log_named(error.subject.rpartition(".")[2])
        expected = self._index.find(name).size
        if self._tails is None:
            self._catch_up()
        else:
            self._tails[0].wait_for(error.sequence, self._patience_s)
            self._follow(self._tails[0])
        return OvertakenError(name, expected=expected, actual=self.size(name))
