"""A process that checks the signatures of a log's bids for the one that replays it, and does nothing else.

Rule: it parses no entry, holds no key and knows no rule of auctions: it answers for pieces of a log which bids are
signed by the key that they name (:mod:`auctionctl.net.checking`). It imports so little that it is there in no time.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from typing import Final

import msgspec

from auctionctl.keys.signing import PUBLIC_KEY_BYTES
from auctionctl.net.pipes import Pipe
from auctionctl.wire.frames import is_signed_by

_BID_ENTRY: Final = b"\x94\xa3bid\xcf"
"""How the entry of a bid begins: four elements, its kind, and the mark of a time of 64 bits, which each has had since
1970 and four seconds (msgpack specification; :mod:`auctionctl.tlog.entry`)."""
_BODY_AT: Final = len(_BID_ENTRY) + 8
_BIN_8: Final = b"\xc4"
_BIN_16: Final = b"\xc5"
_BIDDER_AT: Final = 1 + 4 + 2 * 34 + 2
"""In a bid: behind the mark of an array, its tag, the keys of house and auction, and the mark of another key."""

_decode = msgspec.msgpack.Decoder(list[bytes]).decode


def vouch(entries: Sequence[bytes]) -> bytes:
    """A byte for each of ``entries``: 1 for a bid that is signed by the key in it, 0 for all else."""
    return bytes(map(_is_signed_bid, entries))


def _is_signed_bid(data: bytes) -> bool:
    parts = parts_of(data)
    return parts is not None and is_signed_by(*parts)


def parts_of(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Bidder, body and signature of a bid's entry, cut out of it where they stand in its one encoding; or None.

    It parses nothing: of bytes that are no bid something may be cut out, too. What is said of the three holds of the
    three alone, whatever entry they are of, and the rules ask for no others than those that they have parsed.
    """
    if not data.startswith(_BID_ENTRY):
        return None
    at = _BODY_AT
    if data[at : at + 1] == _BIN_8:
        at, size = at + 2, data[at + 1]
    elif data[at : at + 1] == _BIN_16:
        at, size = at + 3, int.from_bytes(data[at + 1 : at + 3])
    else:
        return None
    body = data[at : at + size]
    signature = data[at + size + 2 :]
    return body[_BIDDER_AT : _BIDDER_AT + PUBLIC_KEY_BYTES], body, signature


def run_checker(control: socket.socket) -> None:
    """Answer for each piece that comes over ``control``. Raises PipeClosedError when no more is wanted."""
    pipe = Pipe(control)
    while True:
        wait_for(pipe, select.POLLIN)
        for piece in pipe.receive():
            pipe.send(vouch(_decode(piece)))
            while pipe.backlog_bytes:
                wait_for(pipe, select.POLLOUT)
                pipe.flush()


def wait_for(pipe: Pipe, events: int) -> None:
    """Until ``pipe`` can do one of ``events``, as poll(2) names them."""
    poll = select.poll()
    poll.register(pipe, events)
    poll.poll()
