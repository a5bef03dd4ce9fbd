"""A process that checks signatures, and does nothing else (DESIGN.md section 3).

It holds no key and no socket to the outside: a subverted gateway cannot make the house accept what was not signed. The
signature is checked over the bytes as received, under the key that the gateway says is the session's; that the body
names the same key is for the house to compare. Each gateway has a pipe of its own, and numbers of its own.
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import Final, NamedTuple

from auctionctl.auction.command_id import command_id
from auctionctl.net.child_words import HousePipe, Stop, decode_to_verifier, encode
from auctionctl.net.chunks import SESSIONS_A_GATEWAY, Checked, RequestTuple, decode_chunk
from auctionctl.net.control import hear_supervisor
from auctionctl.net.pipes import Pipe, PipeClosedError
from auctionctl.net.process_state import own_state
from auctionctl.wire.frames import is_signed_by

BACKLOG_LIMIT_BYTES: Final = 1 << 22
"""Beyond this the house is behind, and no more is taken from the gateway."""


def check_chunk(frame: bytes, first_session: int = 0) -> bytes:
    """A chunk in, the same chunk checked out. PipeClosedError for one of another gateway than ``first_session``'s."""
    chunk = decode_chunk(frame)
    if not first_session <= chunk.number < first_session + SESSIONS_A_GATEWAY:
        raise PipeClosedError(f"chunk {chunk.number} of a gateway that counts from {first_session}")
    good: list[RequestTuple] = []
    forged: list[tuple[int, bytes]] = []
    for request in chunk.requests:
        session, signer, body, signature, _ = request
        if not signer or is_signed_by(signer, body, signature):
            good.append(request)
        else:
            forged.append((session, command_id(body)))
    state = None if chunk.requests else own_state()
    return encode(Checked(chunk.number, good, forged, chunk.received_ns, time.monotonic_ns(), state))


class _Gateway(NamedTuple):
    pipe: Pipe
    first_session: int


class Verifier:
    """The loop of one verifier process."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._gateways: dict[str, _Gateway] = {}
        self._house: Pipe | None = None
        self._is_stopping = False

    def run(self) -> None:
        """Until told to stop, or the supervisor or the house is gone."""
        while not self._is_stopping:
            with selectors.DefaultSelector() as selector:
                selector.register(self._control, selectors.EVENT_READ)
                is_behind = self._house is not None and self._house.backlog_bytes > BACKLOG_LIMIT_BYTES
                if self._house is not None and not is_behind:
                    for name, gateway in self._gateways.items():
                        selector.register(gateway.pipe, selectors.EVENT_READ, name)
                if self._house is not None:
                    writable = selectors.EVENT_WRITE if self._house.backlog_bytes else 0
                    selector.register(self._house, selectors.EVENT_READ | writable)
                self._turn_while_same(selector)

    def _turn_while_same(self, selector: selectors.BaseSelector) -> None:
        """Serve until what is to be selected on may have changed."""
        # A backlog can go at one stroke: then the gateway is to be let in again.
        was_behind = self._house is not None and self._house.backlog_bytes > 0
        while True:
            for key, _ in selector.select():
                if key.fileobj is self._control:
                    self._hear()
                    return
                if key.fileobj is self._house and self._house is not None:
                    self._house.flush()
                    self._house.receive()
                elif not self._serve_gateway(key.data):
                    return
            if was_behind or (self._house is not None and self._house.backlog_bytes):
                return

    def _hear(self) -> None:
        message, descriptors = hear_supervisor(self._control, decode_to_verifier)
        if isinstance(message, Stop):
            self._is_stopping = True
        else:
            pipe = Pipe(socket.socket(fileno=descriptors[0]))
            if isinstance(message, HousePipe):
                self._house = pipe
            else:
                if (before := self._gateways.pop(message.name, None)) is not None:
                    before.pipe.close()
                self._gateways[message.name] = _Gateway(pipe, message.first_session)

    def _serve_gateway(self, name: str) -> bool:
        """Check what has come in; False once this gateway is gone, or says what is another's to say."""
        assert self._house is not None
        pipe, first_session = self._gateways[name]
        try:
            frames = pipe.receive()
        except PipeClosedError:
            self._lose_gateway(name)
            return False
        for frame in frames:
            try:
                checked = check_chunk(frame, first_session)
            except PipeClosedError:
                self._lose_gateway(name)
                return False
            # At once, and not behind all that has come in: the house has nothing to do meanwhile.
            self._house.send(checked)
        return True

    def _lose_gateway(self, name: str) -> None:
        """It is served no more; a new one will come over the control socket."""
        self._gateways.pop(name).pipe.close()
