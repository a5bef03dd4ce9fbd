"""Speaks JetStream, for :mod:`auctionctl.store.cluster_store`; alone imports ``nats``, of the extra ``cluster``.

Rule: nothing is said to be stored before its PubAck, and nothing is stored twice. A message goes behind the one that is
the last of its subject, or not at all, and is named by its hash; so an attempt of which nothing is known is made again
with the same bytes, and where the place is taken, whoever took it is looked at: if that is the message itself, it was
the attempt before. Several messages go as one atomic batch. Every wait is bounded by one patience.

The library is asynchronous and its caller is not: its loop runs in a thread of its own, and the caller waits for it.
Source: DESIGN.md section 9; NATS ADR-50 (atomic batches), https://docs.nats.io/reference/reference-protocols/nats_api.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from auctionctl.errors import ConfigurationError, StoreAwayError, StoreError, StoreFullError
from auctionctl.store.arrivals import Arrivals
from auctionctl.store.cluster_login import Refusals, login_options, public_key_of, reading_our_files
from auctionctl.store.cluster_tls import tls_context
from auctionctl.store.quick_client import library_error
from auctionctl.store.stream_records import HEADER, MESSAGE_ID, Message

if TYPE_CHECKING:
    from auctionctl.store.cluster_address import ClusterAddress

ATTEMPT_S: Final = 2.0
"""How long one attempt waits: a leader that is gone is replaced in 5 to 7 s."""
BACKOFF_S: Final = 0.05
AWAY_HINT: Final = "see that two of its three servers run and reach one another; what was acknowledged is kept there"
DENIED_HINT: Final = "allow this user what the user of a house needs: auctionctl-cluster(7), Who may log in"
ENDED_HINT: Final = "see that its servers know this login, that it has not run out, and how many they let in"
PING_S: Final = 1
"""A server that has answered none of two pings is given up, and the next one of the address tried."""
FETCH_MESSAGES: Final = 500
FETCH: Final = json.dumps({"batch": FETCH_MESSAGES, "no_wait": True}).encode()
READER: Final = {"ack_policy": "none", "deliver_policy": "by_start_sequence", "mem_storage": True}
READER_KEPT_NS: Final = 30_000_000_000
GETS_AT_ONCE: Final = 64
MAX_BATCH_MESSAGES: Final = 1_000
"""What a server takes as one atomic batch, unless it is set up for more."""

WRONG_LAST_SEQUENCE: Final = 10071
BATCH_REPEATS_MESSAGE: Final = 10201
NOT_FOUND: Final = 404
STREAM_NOT_FOUND: Final = 10059
NO_ROOM: Final = frozenset({10047, 10023, 10077, 10122})
"""Insufficient storage, insufficient resources, maximum of the stream, maximum of the account."""
TRANSIENT: Final = frozenset({10008, 10158, 10164, 10176, 10186, 10200, 10205, 10003, 10075})
"""JetStream is not there yet, another write of the subject is under way, a batch fell apart: tried again."""

_T = TypeVar("_T")
Answer = dict[str, Any]


class PlaceTakenError(StoreError):
    """Another writer's message is behind the one that ours should have followed, under ``subject``."""

    def __init__(self, subject: str, sequence: int) -> None:
        super().__init__(f"another instance has written to {subject}", hint="one instance at a time writes a log")
        self.subject = subject
        self.sequence = sequence
        """The number of that message."""


class Stored(msgspec.Struct, frozen=True):
    """One message of a stream."""

    sequence: int
    subject: str
    header: str
    id: str
    payload: bytes


class JetStream:
    """A connection to a cluster. From one thread; ``patience_s`` bounds whatever any call waits for."""

    def __init__(self, address: ClusterAddress, patience_s: float) -> None:
        """Connect. Raises StoreAwayError if no server answers, ConfigurationError without the extra or the right.

        AccessFileError, if a file by which we get in cannot be used.
        """
        try:
            import nats  # noqa: PLC0415 - an extra
            import nats.aio.client  # noqa: PLC0415
            import nats.errors  # noqa: PLC0415

            from auctionctl.store.cluster_wire import OpenClient, SealedClient  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "a cluster needs the library nats-py", hint="install it: pip install 'auctionctl[cluster]'"
            ) from error
        self._nats: Any = nats
        self.failures: tuple[type[Exception], ...] = (nats.errors.Error, OSError)
        """What the library says of a wire or a server; a wait that was too long is among them."""
        self._address = address
        self._patience_s = patience_s
        self._attempt_s = min(ATTEMPT_S, patience_s)
        self._said = ""
        self._denied: list[str] = []
        """What our user was not allowed to do, in the servers' words."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="jetstream", daemon=True)
        self._thread.start()
        self.client: Any = None
        """The library's connection, for use in the loop."""
        try:
            with reading_our_files():
                context, public_key, said = tls_context(address), public_key_of(address), login_options(address)
            client = OpenClient(public_key) if context is None else SealedClient(public_key)
            self.client = self._await(self._connect(client, said if context is None else {**said, "tls": context}))
            if context is not None and not client.has_looked:
                raise library_error("it has not looked at the wire")
        except BaseException:
            self.close()
            raise

    @property
    def server_version(self) -> str:
        """The version of the server that this is connected to now."""
        return str(self.client.connected_server_version).removeprefix("<nats server v").removesuffix(">")

    @property
    def max_payload_bytes(self) -> int:
        """What a message may hold."""
        return int(self.client.max_payload)

    # What callers ask

    def request(self, subject: str, content: Answer | None = None) -> Answer:
        """The answer of JetStream's API under ``$JS.API.`` + ``subject``; it may say an error of its own.

        Raises StoreAwayError if nobody answers.
        """
        return self._await(self._ask(subject, content))

    def request_all(self, requests: Mapping[str, Answer | None]) -> dict[str, Answer]:
        """The answers to several requests at once, by subject, as :meth:`request` gives each."""

        async def ask_all() -> list[Answer]:
            return await asyncio.gather(*[self._ask(subject, content) for subject, content in requests.items()])

        return dict(zip(requests, self._await(ask_all()), strict=True))

    def commit(self, stream: str, messages: Sequence[Message]) -> int:
        """Store ``messages``, at least one, all of them or none; returns the sequence number of the last.

        They have consecutive numbers. Durable on return.

        :raises PlaceTakenError: another writer was first; nothing was stored
        :raises StoreFullError: no room; nothing was stored
        :raises StoreAwayError: whether it is stored is unknown
        :raises StoreError: the cluster refuses it; nothing was stored
        """
        return self._await(self._commit(stream, messages))

    def scan(self, stream: str, subject: str, start: int, until: int, take: Callable[[Stored], None]) -> None:
        """Have ``take`` each message under ``subject`` from number ``start`` to ``until``, without its payload.

        There must be one with the number ``until``; ``take`` is called in another thread while this one waits.
        Raises StoreAwayError, and what ``take`` raises.
        """
        self._await(self._scan(stream, subject, start, until, take, headers_only=True))

    def scan_whole(self, stream: str, subject: str, start: int, until: int, take: Callable[[Stored], None]) -> None:
        """As :meth:`scan`, with the payloads."""
        self._await(self._scan(stream, subject, start, until, take, headers_only=False))

    def get(self, stream: str, subject: str, sequences: Sequence[int]) -> list[Stored]:
        """The messages with these numbers, in order, all of them under ``subject``. Raises StoreAwayError, StoreError.

        Many come by a reader of their own, few by a question each.
        """
        if len(sequences) <= GETS_AT_ONCE:
            return self._await(self._get_each(stream, sequences))
        found: list[Stored] = []
        wanted = frozenset(sequences)

        def take(each: Stored) -> None:
            if each.sequence in wanted:
                found.append(each)

        self._await(self._scan(stream, subject, sequences[0], sequences[-1], take, headers_only=False))
        if len(found) != len(sequences):
            raise StoreError(f"the stream {stream} has lost messages under {subject}")
        return found

    def find(self, stream: str, sequence: int) -> Stored | None:
        """The message with this number, as the leader has it. Raises StoreAwayError, StoreError."""
        return self._await(self._get(stream, {"seq": sequence}))

    def find_last(self, stream: str, subject: str) -> Stored | None:
        """The last message under ``subject``, as the leader has it. Raises StoreAwayError, StoreError."""
        return self._await(self._get(stream, {"last_by_subj": subject}))

    def round_trip_ns(self) -> int:
        """How long a ping to the server takes. Raises StoreAwayError."""

        async def ping() -> None:
            try:
                await self.client.flush(timeout=self._attempt_s)
            except self.failures as error:
                raise self.away("it does not answer a ping") from error

        begun_ns = time.monotonic_ns()
        self._await(ping())
        return time.monotonic_ns() - begun_ns

    def spawn(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        """Have ``work`` go on in the loop by itself, until it ends, is cancelled, or this is closed."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End the connection and its thread. Harmless when repeated."""
        if not self._thread.is_alive():
            return
        if self.client is not None:
            with suppress(StoreError, *self.failures):
                self._await(asyncio.wait_for(self.client.close(), ATTEMPT_S))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    # In the loop

    def _await(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            # An interrupt from the keyboard, or an error of the work's own: nothing of it goes on.
            future.cancel()
            raise

    async def _connect(self, client: Any, options: Mapping[str, Any]) -> Any:
        """``client`` with a connection; it finds another server by itself whenever it loses one.

        But for a word of a server after which the library gives up: see :meth:`check_open`.
        """
        self._refusals = Refusals(self._address, client)
        connecting = asyncio.ensure_future(
            client.connect(
                self._address.urls,
                connect_timeout=self._attempt_s,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=BACKOFF_S,
                ping_interval=PING_S,
                max_outstanding_pings=2,
                dont_randomize=True,
                error_cb=self._note,
                **options,
            )
        )
        await self._refusals.wait(connecting, self._patience_s)
        failure = self._nats.errors.TimeoutError() if connecting.cancelled() else connecting.exception()
        if failure is None:
            return client
        with suppress(*self.failures):
            await client.close()
        if not isinstance(failure, self.failures):
            raise failure
        self._said = self._said or str(failure)
        raise self._refusals.of_all or self.away(*self._refusals.why_away)

    async def _note(self, error: Exception) -> None:
        self._said = str(error)
        self._refusals.note(error)
        if "permissions violation" in self._said.lower():
            self._denied.append(self._said.removeprefix("nats: ").lower())

    def away(self, why: str, hint: str = AWAY_HINT) -> StoreAwayError:
        """The error that says that the cluster cannot be had, for the reason ``why``."""
        is_connected = self.client is not None and self.client.is_connected
        said = "" if is_connected else self._said
        said = f" ({said.lower().rstrip('.')})" if said else ""
        return StoreAwayError(f"the cluster {self._address.text} does not answer: {why}{said}", hint=hint)

    def check_open(self, what: str) -> None:
        """Raises StoreAwayError where ``what`` can come to nothing any more: a server has ended the connection.

        Where it says why, as of a login that has run out, the library looks for no other server; another process may.
        """
        if self.client.is_closed:
            self._said = str(self.client.last_error or "").removeprefix("nats: ")
            raise self.away(f"{what}: it has ended the connection", ENDED_HINT)

    async def _tried(self, what: str, attempt: Callable[[], Coroutine[Any, Any, Answer | None]]) -> Answer:
        """What ``attempt`` comes to, made again and again while nothing is known and patience lasts."""
        deadline_s = time.monotonic() + self._patience_s
        why = "no answer"
        denied = len(self._denied)
        while True:
            try:
                answer = await attempt()
            except self._nats.errors.NoRespondersError:
                answer, why = None, "no leader, for want of a quorum or in the middle of an election"
            except self.failures:
                answer, why = None, "no answer in time, maybe for want of a quorum"
            if answer is not None:
                code = (answer.get("error") or {}).get("err_code", 0)
                if code not in TRANSIENT:
                    return answer
                why = str(answer["error"].get("description", code))
            if len(self._denied) > denied:
                # Nobody answers what is not allowed, and nobody will.
                raise self.away(f"{what}: {self._denied[-1]}", DENIED_HINT)
            self.check_open(what)
            if time.monotonic() >= deadline_s:
                raise self.away(f"{what}: {why}")
            await asyncio.sleep(BACKOFF_S)

    async def _ask(self, subject: str, content: Answer | None) -> Answer:
        payload = json.dumps(content).encode() if content is not None else b""

        return await self._tried(subject.partition(".")[0].lower(), lambda: self.request_once(subject, payload))

    async def request_once(self, subject: str, payload: bytes) -> Answer | None:
        """In the loop: what JetStream's API answers to one attempt; raises one of :attr:`failures`."""
        reply = await self.client.request(f"$JS.API.{subject}", payload, timeout=self._attempt_s)
        return json.loads(reply.data) if reply.data else None

    async def _commit(self, stream: str, messages: Sequence[Message]) -> int:
        deadline_s = time.monotonic() + self._patience_s
        while True:
            answer = await self._tried("write", lambda: self._send(stream, messages))
            error = answer.get("error")
            if error is None:
                return int(answer["seq"])
            code, words = error.get("err_code", 0), error.get("description", "")
            if code in NO_ROOM:
                raise StoreFullError(f"the cluster has no room left: {words}", hint="make room on its servers")
            if code not in (WRONG_LAST_SEQUENCE, BATCH_REPEATS_MESSAGE):
                raise StoreError(
                    f"the cluster refuses a write: {words} ({code})", hint="see: auctionctl doctor --store"
                )
            if (sequence := await self._resolve(stream, messages)) is not None:
                return sequence
            if time.monotonic() >= deadline_s:
                raise self.away(f"write: {words}")
            await asyncio.sleep(BACKOFF_S)

    async def _send(self, stream: str, messages: Sequence[Message]) -> Answer | None:
        """One attempt. The PubAck of the last message is that of all."""
        batch = secrets.token_hex(16)
        for number, message in enumerate(messages, 1):
            headers = {MESSAGE_ID: message.id, HEADER: message.header, "Nats-Expected-Stream": stream}
            if message.behind is not None:
                headers["Nats-Expected-Last-Subject-Sequence"] = str(message.behind)
            if len(messages) > 1:
                headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            if number < len(messages):
                await self.client.publish(message.subject, message.payload, headers=headers)
                continue
            if len(messages) > 1:
                headers["Nats-Batch-Commit"] = "1"
            # The commit point is at the servers: until this is answered, nobody knows on which side of it we are.
            reply = await self.client.request(
                message.subject, message.payload, timeout=self._attempt_s, headers=headers
            )
            return json.loads(reply.data) if reply.data else None
        raise AssertionError("nothing to send")

    async def _resolve(self, stream: str, messages: Sequence[Message]) -> int | None:
        """The number of the last message if an earlier attempt has stored all; None if that is not yet to be seen.

        Raises PlaceTakenError if another writer was first. One message tells of all: they were stored together.
        """
        for message in messages:
            if message.behind is None:
                continue
            found = await self._get(stream, {"next_by_subj": message.subject, "seq": message.behind + 1})
            if found is None:
                continue
            if found.id != message.id:
                raise PlaceTakenError(message.subject, found.sequence)
            return found.sequence - messages.index(message) + len(messages) - 1
        return None

    async def _get(self, stream: str, which: Answer) -> Stored | None:
        answer = await self._ask(f"STREAM.MSG.GET.{stream}", which)
        if error := answer.get("error"):
            if error.get("code") == NOT_FOUND:
                return None
            raise StoreError(f"the stream {stream} cannot be read: {error.get('description')}")
        message = answer["message"]
        headers = _headers(b64decode(message.get("hdrs", "")))
        return Stored(
            message["seq"],
            message["subject"],
            headers.get(HEADER, ""),
            headers.get(MESSAGE_ID, ""),
            b64decode(message.get("data", "")),
        )

    async def _get_each(self, stream: str, sequences: Sequence[int]) -> list[Stored]:
        found = await asyncio.gather(*[self._get(stream, {"seq": each}) for each in sequences])
        for sequence, message in zip(sequences, found, strict=True):
            if message is None:
                raise StoreError(f"the stream {stream} has lost message {sequence}")
        return [message for message in found if message is not None]

    async def _scan(
        self, stream: str, subject: str, start: int, until: int, take: Callable[[Stored], None], *, headers_only: bool
    ) -> None:
        """Read by a reader of its own at the servers, and by another one where that one is lost."""
        moved_s, at = time.monotonic(), start

        def take_next(message: Stored) -> None:
            # A reader may be lost in the middle of what it sends: the next one begins behind what was taken.
            nonlocal moved_s, at
            if message.sequence >= at:
                take(message)
                moved_s, at = time.monotonic(), message.sequence + 1

        # A reader at one server is soon made, and may be given to one that is down; one at each is not held up by that.
        replicas = 1
        while at <= until:
            self.check_open("read")
            name = f"r{secrets.token_hex(8)}"
            config = {"name": name, "opt_start_seq": at, "filter_subject": subject, "headers_only": headers_only}
            config |= {"inactive_threshold": READER_KEPT_NS, "num_replicas": replicas}
            ask = {"stream_name": stream, "config": READER | config}
            try:
                made = await self.request_once(f"CONSUMER.CREATE.{stream}.{name}", json.dumps(ask).encode()) or {}
            except self.failures as failure:
                if time.monotonic() - moved_s > self._patience_s:
                    raise self.away("read: no answer in time") from failure
                replicas = 0  # as many as the stream has
                await asyncio.sleep(BACKOFF_S)
                continue
            if (made.get("error") or {}).get("err_code") in TRANSIENT and time.monotonic() - moved_s < self._patience_s:
                await asyncio.sleep(BACKOFF_S)
                continue
            if error := made.get("error"):
                raise StoreError(f"the stream {stream} cannot be read: {error.get('description')}")
            came = Arrivals()
            try:
                inbox = await self.client.subscribe(self.client.new_inbox(), cb=came.take_in)
                try:
                    while at <= until:
                        before = at
                        fetch = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"
                        await self.client.publish(fetch, FETCH, reply=inbox.subject)
                        await self._take_each(came, take_next)
                        if at > before:
                            continue
                        if time.monotonic() - moved_s > self._patience_s:
                            raise self.away("read: messages that are there do not come")
                        await asyncio.sleep(BACKOFF_S)
                finally:
                    with suppress(*self.failures):
                        await inbox.unsubscribe()
                        await self.client.publish(f"$JS.API.CONSUMER.DELETE.{stream}.{name}")
            except self.failures as error:
                if time.monotonic() - moved_s > self._patience_s:
                    raise self.away("read: no answer in time") from error
                replicas = 0

    async def _take_each(self, came: Arrivals, take: Callable[[Stored], None]) -> None:
        """Have ``take`` what there is, up to 500 messages."""
        for _ in range(FETCH_MESSAGES):
            message = await came.next(self._attempt_s)
            if (place := place_of(message)) is None:
                break
            sequence, headers = place[0], message.headers or {}
            take(Stored(sequence, message.subject, headers.get(HEADER, ""), headers.get(MESSAGE_ID, ""), message.data))


def place_of(message: Any) -> tuple[int, int] | None:
    """The numbers of ``message`` in its stream, and among what its reader has sent; None if it is of no stream.

    What it says itself is not asked: anybody can write to a stream what looks like a word of the servers.
    """
    words = message.reply.split(".")
    numbers = words[5:7] if len(words) < 11 else words[7:9]
    if words[:2] != ["$JS", "ACK"] or len(numbers) != 2 or not all(map(str.isdigit, numbers)):
        return None
    return int(numbers[0]), int(numbers[1])


def _headers(block: bytes) -> dict[str, str]:
    """The headers of a message as they are stored."""
    lines = block.decode(errors="replace").split("\r\n")[1:]
    pairs = [line.partition(":") for line in lines if ":" in line]
    return {name: value.strip() for name, _, value in pairs}
