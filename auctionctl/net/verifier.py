"""A process that checks signatures, and does nothing else (DESIGN.md section 3).

It holds no key and no socket to the outside: a subverted gateway cannot make the house accept what was not signed. The
signature is checked over the bytes as received, under the key that the gateway says is the session's; that the body
names the same key is for the house to compare.
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import Final

from auctionctl.auction.bid import command_id
from auctionctl.net.control import hear_supervisor
from auctionctl.net.hops import Checked, GatewayPipe, HousePipe, RequestTuple, Stop, decode_chunk, encode
from auctionctl.net.pipes import Pipe, PipeClosedError
from auctionctl.net.process_state import own_state
from auctionctl.wire.frames import is_signed_by

BACKLOG_LIMIT_BYTES: Final = 1 << 22
"""Beyond this the house is behind, and no more is taken from the gateway."""


def check_chunk(frame: bytes) -> bytes:
    """A chunk in, the same chunk checked out."""
    chunk = decode_chunk(frame)
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


class Verifier:
    """The loop of one verifier process."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._gateway: Pipe | None = None
        self._house: Pipe | None = None
        self._is_stopping = False

    def run(self) -> None:
        """Until told to stop, or the supervisor or the house is gone."""
        while not self._is_stopping:
            with selectors.DefaultSelector() as selector:
                selector.register(self._control, selectors.EVENT_READ)
                is_behind = self._house is not None and self._house.backlog_bytes > BACKLOG_LIMIT_BYTES
                if self._gateway is not None and self._house is not None and not is_behind:
                    selector.register(self._gateway, selectors.EVENT_READ)
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
                elif not self._serve_gateway():
                    return
            if was_behind or (self._house is not None and self._house.backlog_bytes):
                return

    def _hear(self) -> None:
        message, descriptors = hear_supervisor(self._control)
        if isinstance(message, Stop):
            self._is_stopping = True
        elif isinstance(message, (GatewayPipe, HousePipe)):
            pipe = Pipe(socket.socket(fileno=descriptors[0]))
            if isinstance(message, HousePipe):
                self._house = pipe
            else:
                if self._gateway is not None:
                    self._gateway.close()
                self._gateway = pipe

    def _serve_gateway(self) -> bool:
        """Check what has come in; False once the gateway is gone."""
        assert self._gateway is not None
        assert self._house is not None
        try:
            frames = self._gateway.receive()
        except PipeClosedError:
            # A new gateway will come over the control socket.
            self._gateway.close()
            self._gateway = None
            return False
        for frame in frames:
            self._house.send(check_chunk(frame))
        return True
