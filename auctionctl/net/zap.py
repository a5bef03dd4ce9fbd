"""Who may connect: the answers of a gateway to libzmq's questions about keys. Source: ZeroMQ RFC 27 (ZAP)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import zmq

ZAP_ENDPOINT: Final = "inproc://zeromq.zap.01"
ZAP_DOMAIN: Final = b"auction"


def answer_zap(questions: zmq.Socket[bytes], admitted: Collection[bytes]) -> None:
    """One reply a question that waits. The user id is the key itself, so that every message carries it."""
    while True:
        try:
            version, request_id, domain, _, _, mechanism, *credentials = questions.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        key = credentials[0] if mechanism == b"CURVE" and len(credentials) == 1 else b""
        if domain == ZAP_DOMAIN and key in admitted:
            status, text, user = b"200", b"OK", key.hex().encode()
        else:
            status, text, user = b"400", b"not on the allow list", b""
        questions.send_multipart([version, request_id, status, text, user, b""])
