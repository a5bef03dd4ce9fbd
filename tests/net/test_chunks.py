"""What is to be checked, and what was, arrives as it was said."""

from __future__ import annotations

from auctionctl.house.intake import Request
from auctionctl.net.child_words import encode
from auctionctl.net.chunks import Checked, Chunk, decode_chunk
from auctionctl.net.house_words import decode_checked


def test_a_chunk_arrives_as_it_was_sent() -> None:
    chunk = Chunk(7, [(1, b"signer", b"body", b"signature", b"")], 9)
    assert decode_chunk(encode(chunk)) == chunk


def test_what_was_checked_arrives_as_requests() -> None:
    checked = decode_checked(encode(Checked(7, [(1, b"", b"body", b"", b"key")], [(2, b"command")])))
    assert checked == Checked(7, [Request(1, b"", b"body", b"", b"key")], [(2, b"command")])
    assert isinstance(checked.requests[0], Request)
