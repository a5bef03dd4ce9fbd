"""Every message has one form; what is not that form, bounded, is a protocol error of the peer and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction.bid import Bid, Join, decode_bid, decode_join
from auctionctl.errors import RemoteProtocolError
from auctionctl.tlog.note import MAX_NOTE_BYTES
from auctionctl.wire.frames import MAX_REPLY_BYTES, MAX_REQUEST_BYTES, message_type
from auctionctl.wire.messages import (
    MAX_ANSWERS_A_MESSAGE,
    MAX_AUCTIONS_A_MESSAGE,
    Acknowledged,
    Bye,
    Catalogue,
    ClockHead,
    Entries,
    Hello,
    List,
    Listing,
    Moved,
    Ping,
    Pong,
    Read,
    Receipted,
    Receipts,
    Refused,
    Rejected,
    Rejection,
    Rejections,
    Remind,
    Subscribe,
    Welcome,
    acknowledge,
    decode_rejection,
    decode_reply,
    decode_request,
    encode,
    parts_of,
)

Decoder = Callable[[bytes], Any]
A, B, C, NONCE, SIGNATURE = b"a" * 32, b"b" * 32, b"c" * 32, b"n" * 16, b"s" * 64

REQUESTS: list[Any] = [
    Hello(1, A, B, C, "bidder", NONCE, 1_767_225_600_000_000_000),
    Bye(),
    Ping(7),
    List(16),
    Subscribe((A, B, b"")),
    Read(A, 300),
    Remind(A, b"note"),
]
REJECTION = Rejection(A, B, C, "below_increment", (("amount", 100), ("minimum", 70_000)), 9, 12)
REPLIES: list[Any] = [
    Welcome(1, NONCE, A, B, C, A, "bidder", 12, 1_000),
    Refused("busy", "the queue is full", A, 50),
    Pong(7, 12),
    Catalogue(0, 1, (Listing(b"terms", SIGNATURE, 4, b"proof"),)),
    Entries(A, 3, (b"entry", b"x" * 300), b"note"),
    Acknowledged((Receipts(A, b"note", (Receipted(B, 12, 3, C * 2),)),)),
    Rejections(1, A, SIGNATURE, (Rejected(encode(REJECTION), 0, b""),)),
    ClockHead(A, b"note"),
    Moved(A, "house.example:8888", B, 0),
    Moved(b"", "", b"", 50),
]
COMMANDS: list[tuple[Decoder, Any]] = [
    (decode_bid, Bid(A, B, C, 1, 100, "EUR", 12, 13, 3, A)),
    (decode_join, Join(A, B, C, NONCE, 12, 13)),
]
ALL: list[tuple[Decoder, Any]] = [
    *((decode_request, message) for message in REQUESTS),
    *((decode_reply, message) for message in REPLIES),
    (decode_rejection, REJECTION),
    *COMMANDS,
]
NAMES = [type(message).__name__ for _, message in ALL]


def refuses(decoder: Decoder, body: bytes) -> bool:
    try:
        decoder(body)
    except RemoteProtocolError:
        return True
    return False


@pytest.mark.parametrize(("decoder", "message"), ALL, ids=NAMES)
def test_every_message_comes_back_as_it_was_sent(decoder: Decoder, message: Any) -> None:
    assert decoder(encode(message)) == message
    assert message_type(encode(message)) == type(message).__struct_config__.tag


@pytest.mark.parametrize(("decoder", "message"), ALL, ids=NAMES)
def test_no_message_is_taken_by_the_decoder_of_the_other_direction(decoder: Decoder, message: Any) -> None:
    others = {each for each, _ in ALL} - {decoder}
    assert all(refuses(other, encode(message)) for other in others)


@pytest.mark.parametrize(("decoder", "message"), ALL, ids=NAMES)
def test_a_message_cut_or_followed_by_anything_is_malformed(decoder: Decoder, message: Any) -> None:
    body = encode(message)
    assert all(refuses(decoder, body[:end]) for end in range(len(body)))
    assert refuses(decoder, body + b"\xc0")
    longer = bytes([body[0] + 1]) + body[1:] + b"\xc0"
    assert refuses(decoder, longer)


@pytest.mark.parametrize(("decoder", "message"), ALL, ids=NAMES)
def test_a_message_in_another_form_is_malformed(decoder: Decoder, message: Any) -> None:
    body = encode(message)
    tag = body[1:2]
    wide_array = b"\xdc\x00" + bytes([body[0] & 0x0F]) + body[1:]
    wide_tag = body[:1] + b"\xd9" + bytes([tag[0] & 0x1F]) + body[2:]
    assert refuses(decoder, wide_array)
    assert refuses(decoder, wide_tag)


@pytest.mark.parametrize(
    ("decoder", "body"),
    [
        (decode_request, b"\x92\xa4ping\xcc\x07"),
        (decode_request, b"\x92\xa4ping\xcf" + bytes(7) + b"\x07"),
        (decode_request, b"\x92\xa4ping\xd0\x07"),
        (decode_request, b"\x92\xa4ping\xcb" + bytes(8)),
        (decode_request, b"\x92\xa4ping\xc3"),
        (decode_request, b"\x92\xa4ping\xff"),
        (decode_request, b"\x93\xa4read\xc5\x00\x00\x00"),
        (decode_request, b"\x92\xa9subscribe\xdc\x00\x00"),
        (decode_reply, b"\x93\xa7refused\xa0\xa0"),
        (decode_reply, b"\x94\xa7refused\xa0\xa0\xc4\x00"),
    ],
)
def test_numbers_lengths_and_defaults_have_one_form(decoder: Decoder, body: bytes) -> None:
    assert refuses(decoder, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc0",
        b"\x90",
        b"\x91\xa2\xff\xff",
        b"\x91" * 5_000,
        b"\xdd\xff\xff\xff\xff",
        b"\x92\xa9subscribe\xdd\xff\xff\xff\xff",
        b"\x95\xa7entries\xc4\x00\x00\xdd\xff\xff\xff\xff",
        b"\x93\xa4read\xc6\xff\xff\xff\xff",
        b"\x85\xa7refused\xa2\xff\xff\xa0\xc4\x00\x00",
        b"\x95\xa7refused\xa2\xff\xff\xa0\xc4\x00\x00",
    ],
)
def test_hostile_bytes_are_malformed_to_every_decoder(body: bytes) -> None:
    assert all(refuses(decoder, body) for decoder in {decoder for decoder, _ in ALL})


def changed(message: Any, /, **fields: Any) -> bytes:
    return encode(msgspec.structs.replace(message, **fields))


@pytest.mark.parametrize(
    ("message", "good", "bad"),
    [
        (REQUESTS[0], {"version": 2**31}, {"version": 2**31 + 1}),
        (REQUESTS[0], {"role": "r" * 32}, {"role": "r" * 33}),
        (REQUESTS[0], {"time_ns": 2**62}, {"time_ns": 2**62 + 1}),
        (REQUESTS[0], {}, {"time_ns": -1}),
        *((REQUESTS[0], {}, {field: b"k" * 31}) for field in ("house", "identity", "transport")),
        *((REQUESTS[0], {}, {field: b"k" * 33}) for field in ("house", "identity", "transport")),
        (REQUESTS[0], {}, {"nonce": b"n" * 15}),
        (REQUESTS[2], {"token": 2**53}, {"token": 2**53 + 1}),
        (REQUESTS[3], {"start": 0}, {"start": -1}),
        (REQUESTS[4], {"auctions": (A,) * MAX_AUCTIONS_A_MESSAGE}, {"auctions": (A,) * (MAX_AUCTIONS_A_MESSAGE + 1)}),
        (REQUESTS[4], {}, {"auctions": (b"k" * 33,)}),
        (REQUESTS[5], {"auction": b""}, {"auction": b"k" * 33}),
        (REPLIES[0], {"role": "r" * 1_000}, {"role": "r" * 1_001}),
        (REPLIES[1], {"code": "c" * 32}, {"code": "c" * 33}),
        (REPLIES[1], {"message": "m" * 1_000}, {"message": "m" * 1_001}),
        (REPLIES[1], {"retry_after_ns": 2**62}, {"retry_after_ns": 2**62 + 1}),
        (REPLIES[7], {"note": b"n" * MAX_NOTE_BYTES}, {"note": b"n" * (MAX_NOTE_BYTES + 1)}),
        (REPLIES[3], {}, {"listings": (Listing(b"terms", b"s" * 63, 4, b"proof"),)}),
        (REPLIES[5], {}, {"logs": (Receipts(A, b"note", (Receipted(b"b" * 31, 12, 3, b""),)),)}),
        (REPLIES[6], {}, {"root": b"r" * 31}),
        (REPLIES[6], {}, {"signature": b""}),
    ],
)
def test_every_bound_holds(message: Any, good: dict[str, Any], bad: dict[str, Any]) -> None:
    decoder = decode_request if message in REQUESTS else decode_reply
    assert encode(decoder(changed(message, **good))) == changed(message, **good)
    with pytest.raises(RemoteProtocolError, match="malformed message: Expected"):
        decoder(changed(message, **bad))


MOVED = Moved(A, "", B, 1)


@pytest.mark.parametrize(
    "endpoint",
    ["", "house.example:8888", "192.0.2.7:1", "[2001:db8::7]:65535", "[::1]:60000", "h:65530", f"{'h' * 249}:65499"],
)
def test_a_place_to_go_to_is_a_host_and_a_port(endpoint: str) -> None:
    assert decode_reply(changed(MOVED, endpoint=endpoint)) == msgspec.structs.replace(MOVED, endpoint=endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "house.example",
        ":8888",
        "house.example:",
        "house.example:0",
        "house.example:08888",
        "house.example:65536",
        "house.example:99999",
        "house.example:٨٨",
        "tcp://house.example:8888",
        "house.example:8888/",
        "house.example:8888\n",
        "\nhouse.example:8888",
        "a b:8888",
        "::1:8888",
        "ipc:///tmp/socket:1",
        "x@house.example:8888",
        f"{'h' * 250}:65499",
    ],
)
def test_what_is_no_place_to_go_to_is_malformed(endpoint: str) -> None:
    with pytest.raises(RemoteProtocolError, match="malformed message: Expected"):
        decode_reply(changed(MOVED, endpoint=endpoint))


@pytest.mark.parametrize("field", ["log", "command"])
def test_what_has_moved_is_named_by_an_id_or_is_the_registry(field: str) -> None:
    for value in (b"", A):
        assert decode_reply(changed(MOVED, **{field: value}))
    with pytest.raises(RemoteProtocolError, match="malformed message: Expected"):
        decode_reply(changed(MOVED, **{field: b"k" * 33}))


def test_a_rejection_names_its_code_briefly() -> None:
    assert decode_rejection(changed(REJECTION, code="c" * 32))
    with pytest.raises(RemoteProtocolError):
        decode_rejection(changed(REJECTION, code="c" * 33))


def test_the_largest_request_fits_a_frame() -> None:
    assert len(encode(Subscribe((A,) * MAX_AUCTIONS_A_MESSAGE))) <= MAX_REQUEST_BYTES


def test_the_longest_answers_fit_a_frame() -> None:
    proof = bytes(32 * 63)
    receipted = Receipted(A, 2**62, 2**53, proof)
    whole = Receipts(A, b"n" * 4_096, (receipted,) * MAX_ANSWERS_A_MESSAGE)
    assert [len(encode(part)) <= MAX_REPLY_BYTES for part in acknowledge([whole])] == [True]
    # Proofs of many logs, of a million entries each, under heads signed together with as many.
    single = Receipts(A, b"n" * 1_200, (Receipted(A, 2**62, 2**53, bytes(32 * 20)),))
    assert all(len(encode(part)) <= MAX_REPLY_BYTES for part in acknowledge([single] * 300))
    observed = tuple((name, 2**62) for name in ("amount", "price", "minimum"))
    rejection = encode(Rejection(A, B, C, "c" * 32, observed, 2**53, 2**62))
    rejected = Rejected(rejection, 2**53, proof)
    message = Rejections(2**53, A, SIGNATURE, (rejected,) * MAX_ANSWERS_A_MESSAGE)
    assert len(encode(message)) <= MAX_REPLY_BYTES


@given(st.lists(st.integers(), max_size=3 * MAX_ANSWERS_A_MESSAGE))
def test_answers_cut_into_messages_are_all_there_in_order(answers: list[int]) -> None:
    parts = list(parts_of(answers))
    assert [answer for part in parts for answer in part] == answers
    assert all(0 < len(part) <= MAX_ANSWERS_A_MESSAGE for part in parts)


@given(st.lists(st.integers(1, MAX_ANSWERS_A_MESSAGE), max_size=20))
def test_receipts_of_many_logs_are_all_there_in_order_within_the_bound_of_a_message(counts: list[int]) -> None:
    receipted = Receipted(A, 1, 2, b"")
    receipts = [Receipts(bytes([number]) * 32, b"note", (receipted,) * count) for number, count in enumerate(counts)]
    parts = list(acknowledge(receipts))
    assert [log for part in parts for log in part.logs] == receipts
    assert all(0 < sum(len(log.receipts) for log in part.logs) <= MAX_ANSWERS_A_MESSAGE for part in parts)


def mutated(body: bytes, rng: random.Random) -> bytes:
    data = bytearray(body)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0:
                data[at : at + 1] = rng.randbytes(1)
            case 1:
                data[at:at] = rng.randbytes(rng.randrange(1, 4))
            case 2:
                del data[at : at + rng.randrange(1, 4)]
            case _:
                data[at : at + 5] = rng.choice((b"\xdd", b"\xc6", b"\xdb", b"\xdf")) + b"\xff" * 4
    return bytes(data)


@pytest.mark.parametrize("decoder", [decode_request, decode_reply, decode_rejection, decode_bid, decode_join])
def test_mutations_raise_a_protocol_error_or_are_canonical(decoder: Decoder) -> None:
    seed = 20_260_101
    rng = random.Random(seed)
    bodies = [encode(message) for each, message in ALL if each is decoder]
    taken = 0
    for _ in range(20_000):
        body = mutated(rng.choice(bodies), rng)
        try:
            message = decoder(body)
        except RemoteProtocolError:
            continue
        assert encode(message) == body, (seed, body)
        assert message_type(body) == type(message).__struct_config__.tag
        taken += 1
    assert 0 < taken < 20_000
