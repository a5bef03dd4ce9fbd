"""Two frames, their bounds, the type before the parser, and signatures that cannot be carried to another use."""

from __future__ import annotations

import base64
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.errors import LocalProtocolError, NoteError, RemoteProtocolError
from auctionctl.keys.signing import SecretKey
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.note import NoteSigner, open_note, sign_note
from auctionctl.wire.frames import Message, check_frames, domain, is_signed_by, message_type, sign_body

KEY = SecretKey(b"k" * 32)
PUBLIC = KEY.identity.signing


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"\x91\xa3bye", "bye"),
        (b"\x9f\xa3bye and whatever follows", "bye"),
        (b"\x91\xbf" + b"t" * 31, "t" * 31),
        (b"", ""),
        (b"\x91", ""),
        (b"\x91\xa3by", ""),
        (b"\x91\xa0", ""),
        (b"\x81\xa3bye", ""),
        (b"\xdc\x00\x01\xa3bye", ""),
        (b"\x91\xd9\x03bye", ""),
        (b"\x91\xc4\x03bye", ""),
        (b"\x91\xa3b\xc3\xa9", ""),
        (b"\x91\xa2\xff\xff", ""),
    ],
)
def test_the_type_is_read_at_its_fixed_place_or_not_at_all(body: bytes, name: str) -> None:
    assert message_type(body) == name


@given(st.binary(max_size=64))
def test_no_bytes_whatever_disturb_the_reading_of_the_type(body: bytes) -> None:
    name = message_type(body)
    assert name.isascii()
    assert len(name) <= 31
    assert not name or name.encode() in body


def test_the_domain_is_written_as_the_design_says() -> None:
    assert domain("bid") == b"auctionctl/bid/v1\0"


def test_a_signature_is_over_the_domain_and_the_bytes_as_they_are() -> None:
    body = b"\x91\xa3bye"
    message = sign_body(KEY, body)
    assert message == Message(body, KEY.sign(b"auctionctl/bye/v1\0" + body))
    assert is_signed_by(PUBLIC, *message)
    assert not is_signed_by(PUBLIC, body + b"\0", message.signature)
    assert not is_signed_by(SecretKey(b"l" * 32).identity.signing, *message)
    assert not is_signed_by(PUBLIC, body, KEY.sign(body))


@pytest.mark.parametrize("length", [0, 1, 63, 65, 128])
def test_a_signature_of_another_length_is_none(length: int) -> None:
    body = b"\x91\xa3bye"
    signature = sign_body(KEY, body).signature
    assert not is_signed_by(PUBLIC, body, (signature * 2)[:length])


def test_a_signature_under_one_type_never_verifies_as_another() -> None:
    types = ("bid", "join", "terms", "hello", "welcome", "rejections_head")
    tail = b"\xc4\x03abc"
    bodies = [b"\x92" + bytes([0xA0 | len(name)]) + name.encode() + tail for name in types]
    for signed, shown in itertools.product(bodies, repeat=2):
        assert is_signed_by(PUBLIC, shown, sign_body(KEY, signed).signature) == (signed == shown)
        forged = KEY.sign(domain(message_type(signed)) + shown)
        assert is_signed_by(PUBLIC, shown, forged) == (signed == shown)


def test_a_body_without_a_type_is_neither_signed_nor_believed() -> None:
    # Its first bytes would complete the empty type's domain to that of a type with a slash in its name.
    inner = b"\x91\xa7/v1\0abc"
    outer = b"abc/v1\0" + inner
    assert domain("") + outer == domain(message_type(inner)) + inner
    with pytest.raises(LocalProtocolError, match="without a type"):
        sign_body(KEY, outer)
    assert not is_signed_by(PUBLIC, outer, KEY.sign(domain("") + outer))


@given(st.text(max_size=20), st.text(max_size=20))
def test_two_types_never_share_what_is_signed(first: str, second: str) -> None:
    def body_of(name: str) -> bytes:
        return b"\x91" + bytes([0xA0 | len(name)]) + name.encode()

    names = [name for name in (first, second) if name and name.isascii()]
    signed = [domain(message_type(body_of(name))) + body_of(name) for name in names]
    assert len(set(signed)) == len(set(names))


def test_a_note_that_the_house_signed_never_verifies_as_a_message() -> None:
    note = CheckpointSigner(origin_of(KEY.identity.text, "registry"), KEY).sign(0, bytes(32))
    text, _, line = note.rpartition(b"\n\n")
    signature = base64.b64decode(line.split()[-1])[4:]
    assert len(signature) == 64
    for body in (text + b"\n", b"\x91\xa3bye", b"\x91\xa3bye" + text):
        assert not is_signed_by(PUBLIC, body, signature)


def test_a_message_that_the_house_signed_never_opens_as_a_note() -> None:
    body = b"\x91\xa3bye\n"
    text = domain("bye") + b"\n"  # what stands before the signature of a note, with the NUL of every domain
    forged = NoteSigner("house", KEY).sign(text)
    with pytest.raises(NoteError):
        open_note(forged, "house", PUBLIC)
    with pytest.raises(NoteError):
        sign_note(text.decode(), "house", KEY)
    message = sign_body(KEY, body)
    with pytest.raises(NoteError):
        open_note(domain("bye") + body + b"\n", "house", PUBLIC)
    assert is_signed_by(PUBLIC, *message)


def test_two_frames_within_bounds_are_a_message() -> None:
    assert check_frames([b"b", b""], 1) == Message(b"b")
    assert check_frames([b"bb", b"s" * 64], 2) == Message(b"bb", b"s" * 64)


@pytest.mark.parametrize("frames", [[], [b"b"], [b"b", b"", b""]])
def test_a_message_of_another_number_of_frames_is_malformed(frames: list[bytes]) -> None:
    with pytest.raises(RemoteProtocolError, match=f"2 frames, not {len(frames)}"):
        check_frames(frames, 10)


@pytest.mark.parametrize("length", [0, 11])
def test_a_body_out_of_bounds_is_malformed(length: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"a body of {length} bytes, where 1 to 10 are allowed"):
        check_frames([b"b" * length, b""], 10)


@pytest.mark.parametrize("length", [1, 63, 65])
def test_a_signature_frame_is_64_bytes_or_empty(length: int) -> None:
    with pytest.raises(RemoteProtocolError, match=f"a signature of {length} bytes"):
        check_frames([b"b", b"s" * length], 10)
