"""The end of a stream, as it grows: what others write comes by itself, and nobody has to ask for it.

Rule: each message comes once, in order, and without a gap. The reader that the servers keep for it numbers what it
sends, and says each half second that it is there; where a number is missing or nothing is heard, another reader goes on
behind the last message that came. What a stream holds comes as it is, whoever wrote it: to refuse it is for whoever
knows what a house writes. Source: NATS, "ordered consumers" (ADR-17).
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from contextlib import suppress
from typing import Any, Final

from auctionctl.errors import StoreAwayError, StoreBrokenError
from auctionctl.store.jetstream import BACKOFF_S, JetStream, Stored, place_of
from auctionctl.store.stream_records import HEADER, MESSAGE_ID

HEARTBEAT_S: Final = 0.5
SILENCE_S: Final = 1.5
"""Whoever has not been heard for so long is gone."""
_PENDING_BYTES: Final = 1 << 28
_NANOSECONDS: Final = 1_000_000_000


class StreamTail:
    """What comes to ``stream`` behind the message with the number ``after``, but for what ``writer`` has written.

    ``writer`` is the last word of the headers that are left out; an empty one leaves out none.
    """

    def __init__(self, link: JetStream, stream: str, after: int, writer: str = "") -> None:
        self._link = link
        self._stream = stream
        self._skipped = f" {writer}" if writer else None
        self._position = after
        self._came: list[Stored] = []
        self._has_grown = threading.Condition()
        self._delivered = 0
        self._heard_s = 0.0
        self._is_lost = False
        self._reading = link.spawn(self._read())

    def take(self) -> list[Stored]:
        """What has come since the last call; waits for nothing. StoreBrokenError if nothing can come any more."""
        if self._reading.done():
            failure = None if self._reading.cancelled() else self._reading.exception()
            if isinstance(failure, StoreAwayError):
                raise StoreAwayError(str(failure), hint=failure.hint) from failure
            why = "it is closed" if failure is None else repr(failure)
            raise StoreBrokenError(f"what others store in {self._stream} does not come any more: {why}")
        if not self._came:
            return []
        with self._has_grown:
            came, self._came = self._came, []
        return came

    def wait_for(self, sequence: int, patience_s: float) -> None:
        """Return when the message with this number has come, or one behind it. StoreAwayError after ``patience_s``."""
        with self._has_grown:
            if not self._has_grown.wait_for(lambda: self._position >= sequence, patience_s):
                raise StoreAwayError(
                    f"the cluster does not send what it has stored in {self._stream}",
                    hint="see that two of its three servers run and reach one another",
                )

    def close(self) -> None:
        """Nothing more comes."""
        self._reading.cancel()

    # In the loop of the connection

    async def _read(self) -> None:
        replicas = 1
        while True:
            name = f"t{secrets.token_hex(8)}"
            inbox = self._link.client.new_inbox()
            self._delivered, self._heard_s, self._is_lost = 0, time.monotonic(), False
            reader = None
            try:
                reader = await self._link.client.subscribe(inbox, cb=self._hear, pending_bytes_limit=_PENDING_BYTES)
                made = await self._link.request_once(
                    f"CONSUMER.CREATE.{self._stream}.{name}", self._config(name, inbox, replicas)
                )
                if made is not None and "error" not in made:
                    self._heard_s = time.monotonic()
                    while not self._is_lost and time.monotonic() - self._heard_s < SILENCE_S:
                        await asyncio.sleep(HEARTBEAT_S / 2)
            except self._link.failures:
                pass
            finally:
                with suppress(*self._link.failures):
                    if reader is not None:
                        await reader.unsubscribe()
                    await self._link.client.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{name}")
            self._link.check_open(f"read {self._stream}")
            # A reader at one server is soon made, and may be given to one that is down; one at each is not held up.
            replicas = 1 - replicas
            await asyncio.sleep(BACKOFF_S)

    def _config(self, name: str, inbox: str, replicas: int) -> bytes:
        config = {
            "name": name,
            "deliver_subject": inbox,
            "ack_policy": "none",
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self._position + 1,
            "filter_subject": f"{self._stream}.>",
            "mem_storage": True,
            "num_replicas": replicas,
            "flow_control": True,
            "idle_heartbeat": int(HEARTBEAT_S * _NANOSECONDS),
            "inactive_threshold": 5 * _NANOSECONDS,
        }
        return json.dumps({"stream_name": self._stream, "config": config}).encode()

    async def _hear(self, message: Any) -> None:
        self._heard_s = time.monotonic()
        headers = message.headers or {}
        if (place := place_of(message)) is None:
            if message.reply:
                await self._link.client.publish(message.reply, b"")
            elif stalled := headers.get("Nats-Consumer-Stalled"):
                await self._link.client.publish(stalled, b"")
            elif headers.get("Nats-Last-Consumer", str(self._delivered)) != str(self._delivered):
                self._is_lost = True
            return
        sequence, delivered = place
        if self._is_lost or delivered != self._delivered + 1:
            self._is_lost = True
            return
        self._delivered = delivered
        header = headers.get(HEADER, "")
        with self._has_grown:
            if sequence > self._position:
                if self._skipped is None or not header.endswith(self._skipped):
                    self._came.append(
                        Stored(sequence, message.subject, header, headers.get(MESSAGE_ID, ""), message.data)
                    )
                self._position = sequence
            self._has_grown.notify_all()
