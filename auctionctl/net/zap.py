"""Who may connect: the answers of a gateway to libzmq's questions about keys. Source: ZeroMQ RFC 27 (ZAP)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import zmq

from auctionctl.net.door import Answer

ZAP_ENDPOINT: Final = "inproc://zeromq.zap.01"
ZAP_DOMAIN: Final = b"auction"


def answer_zap(questions: zmq.Socket[bytes], knock: Callable[[bytes, str], Answer]) -> None:
    """One reply a question that waits; ``knock`` is asked about a key (32 bytes) and the address that it comes from.

    The user id is the key itself, so that every message carries it. Status 400 ends the attempts of a client of
    libzmq's; after 300, which says nothing to it, it comes again.
    """
    while True:
        try:
            version, request_id, domain, host, _, mechanism, *credentials = questions.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        answer, key = Answer.UNKNOWN, b""
        if domain == ZAP_DOMAIN and mechanism == b"CURVE" and len(credentials) == 1:
            key = credentials[0]
            answer = knock(key, host.decode(errors="replace"))
        if answer is Answer.COME_IN:
            status, user = b"200", key.hex().encode()
        else:
            status, user = b"400" if answer.is_for_good else b"300", b""
        questions.send_multipart([version, request_id, status, answer.value.encode(), user, b""])
