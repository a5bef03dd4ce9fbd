"""The ROUTER socket of a gateway: how it is set up, bound, and read (PITFALLS of libzmq are named where they matter).

Rule: whoever is not let in by ZAP sends nothing, and nothing waits here for whoever does not read.
"""

from __future__ import annotations

from typing import Final

import zmq

from auctionctl.net.gateway_orders import StartGateway
from auctionctl.net.route_numbers import ENDPOINT
from auctionctl.net.zap import ZAP_DOMAIN
from auctionctl.wire.frames import CURVE_BYTES, MAX_REQUEST_BYTES

HANDSHAKE_MS: Final = 2_000
_NOBLOCK: Final = int(zmq.NOBLOCK)


def bind_router(router: zmq.Socket[bytes], start: StartGateway, listening_fd: int) -> None:
    """Serve on a descriptor that listens already. Whoever answers ZAP has to be there before this."""
    router.setsockopt(zmq.CURVE_SERVER, 1)
    router.setsockopt(zmq.CURVE_SECRETKEY, start.transport_secret)
    router.setsockopt(zmq.CURVE_PUBLICKEY, start.transport_public)
    router.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
    # Without it, libzmq lets everybody in while there is nobody to ask.
    router.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    router.setsockopt(zmq.ROUTER_MANDATORY, 1)
    router.setsockopt(zmq.ROUTER_HANDOVER, 0)
    router.setsockopt(zmq.MAXMSGSIZE, MAX_REQUEST_BYTES + CURVE_BYTES)
    router.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    router.setsockopt(zmq.RCVHWM, 64)
    router.setsockopt(zmq.SNDHWM, 64)
    router.setsockopt(zmq.LINGER, 0)
    router.setsockopt(zmq.HEARTBEAT_IVL, 5_000)
    router.setsockopt(zmq.HEARTBEAT_TTL, 15_000)
    router.setsockopt(zmq.HEARTBEAT_TIMEOUT, 15_000)
    router.setsockopt(zmq.BACKLOG, 1_024)
    router.setsockopt(zmq.USE_FD, listening_fd)
    router.bind(start.endpoint)
    router.bind(ENDPOINT)


def receive(router: zmq.Socket[bytes]) -> tuple[bytes, list[zmq.Frame]]:
    """Route and frames of one message; frames themselves, for the user id is theirs. zmq.Again where none waits.

    The route is only bytes, which cost less: there is always a frame behind it. Plain ints as flags: enums cost more.
    """
    route = router.recv(_NOBLOCK)
    frame = router.recv(_NOBLOCK, False)
    frames = [frame]
    while frame.more:
        frame = router.recv(_NOBLOCK, False)
        frames.append(frame)
    return route, frames
