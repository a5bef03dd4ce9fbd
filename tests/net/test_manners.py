"""What a listed client may send, it gets an answer to; what it may not, harms nobody (DESIGN.md sections 5 and 8)."""

from __future__ import annotations

import random

import msgspec
import pytest
from house_clients import HonestBidder, RawSession, all_join
from house_process import HouseInProcesses, key_of, lot, until

from auctionctl.auction.command_id import command_id
from auctionctl.house.quotas import MAX_FORGERIES
from auctionctl.net.mutes import POINTS_TO_MUTE
from auctionctl.net.porter import MISGREETED
from auctionctl.wire.frames import MAX_REQUEST_BYTES, Message, sign_body
from auctionctl.wire.messages import (
    Bye,
    Catalogue,
    Hello,
    List,
    Ping,
    Pong,
    Read,
    Receipts,
    Refused,
    Remind,
    Subscribe,
    Welcome,
    decode_request,
    encode,
)

GARBAGE_MESSAGES = 2_000
GARBAGE_OF_ONE = 50
"""Whoever signs badly again and again is not heard any more: there are many, and each has said a lot by then."""
GARBAGE_NAMES = tuple(f"garbage-{number}" for number in range(GARBAGE_MESSAGES // GARBAGE_OF_ONE))
SEED = 20_261_122


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    names = ("ann", "ben", "mallory", "forger", "nina", "olaf", "cleo=observer", "dora", "erin", *GARBAGE_NAMES)
    running = HouseInProcesses(tmp_path_factory.mktemp("house"), names, [lot("vase"), lot("lamp")])
    try:
        yield running
        running.hear()
        assert "Restarted" not in [report["report"] for report in running.reports]
    finally:
        running.close()


@pytest.fixture
def mallory(house, raw_session_of) -> RawSession:
    return raw_session_of("mallory", house)


def refusal(reply) -> str:
    assert isinstance(reply, Refused), reply
    return reply.code


def bid_of(name: str, house: HouseInProcesses, *, as_name: str = "") -> Message:
    """A bid of ``name``, signed by ``as_name`` if that is given."""
    bidder = HonestBidder(name, house.address)
    try:
        body = bidder.sign_bid(house.auctions["vase"], 10).body
    finally:
        bidder.close()
    return sign_body(key_of(as_name or name), body)


# Frames


@pytest.mark.parametrize(
    "frames",
    [
        (b"one frame",),
        (b"three", b"", b"frames"),
        (b"", b""),
        (b"body", b"no signature"),
        (b"body", bytes(65)),
        (b"frame",) * 100,
    ],
    ids=["one", "three", "empty", "short-signature", "long-signature", "a-hundred"],
)
def test_frames_that_are_no_message_are_called_malformed(mallory, frames):
    assert refusal(mallory.ask(*frames)) == "malformed"
    mallory.greet()
    assert refusal(mallory.ask(*frames)) == "malformed"


def test_a_frame_over_the_limit_ends_its_connection_and_no_other(house, mallory, raw_session_of):
    ann = raw_session_of("ann", house)
    ann.greet()
    mallory.greet()
    mallory.send(bytes(2 * MAX_REQUEST_BYTES), b"")
    assert isinstance(ann.ask(encode(Ping(1)), b""), Pong)
    # Its socket connects again by itself; what it sends until it has noticed is lost.
    until(lambda: send_and_poll(mallory), "a welcome after the reconnection")


def send_and_poll(session: RawSession) -> bool:
    session.send(*session.hello())
    return bool(session._socket.poll(200)) and isinstance(session.receive(), Welcome)


def test_a_frame_at_the_limit_is_answered(mallory):
    mallory.greet()
    body = encode(Ping(1))
    reply = mallory.ask(body + bytes(MAX_REQUEST_BYTES - len(body)), b"")
    assert refusal(reply) == "malformed"
    assert "trailing characters" in reply.message, "it was read to its end"


def test_a_flood_of_what_is_no_message_and_of_pings_that_are_none_comes_to_its_limit(start_house, raw_session_of):
    house = start_house(("ann",), strangers={}, limits={"stranger_questions_per_s": 1})
    eve = raw_session_of("eve", house)
    assert isinstance(eve.greet(), Welcome)
    codes = [refusal(eve.ask(*((b"one frame",), (encode(Ping(1)) + b"?", b""))[turn % 2])) for turn in range(70)]
    assert codes[:60] == ["malformed"] * 60
    assert codes[-1] == "rate"


# Sessions


@pytest.mark.parametrize(
    "request_of",
    [
        lambda house: (encode(List(0)), b""),
        lambda house: (encode(Ping(1)), b""),
        lambda house: (encode(Bye()), b""),
        lambda house: bid_of("mallory", house),
        lambda house: (b"garbage", b""),
    ],
    ids=["list", "ping", "bye", "bid", "garbage"],
)
def test_nothing_is_answered_before_a_hello(house, mallory, request_of):
    assert refusal(mallory.ask(*request_of(house))) == "no_session"


def test_a_bye_ends_the_session_and_a_new_hello_begins_another(mallory):
    assert isinstance(mallory.greet(), Welcome)
    assert isinstance(mallory.ask(encode(Ping(7)), b""), Pong)
    mallory.send(encode(Bye()), b"")
    assert refusal(mallory.ask(encode(Ping(8)), b"")) == "no_session"
    assert isinstance(mallory.greet(), Welcome)
    assert isinstance(mallory.greet(), Welcome), "a second hello replaces the first"
    assert isinstance(mallory.ask(encode(List(0)), b""), Catalogue)


def test_two_sessions_of_one_key_are_two_and_the_end_of_one_is_not_that_of_the_other(house, raw_session_of):
    first, second = raw_session_of("dora", house), raw_session_of("dora", house)
    first.greet()
    second.greet()
    first.send(encode(Bye()), b"")
    assert refusal(first.ask(encode(Ping(1)), b"")) == "no_session"
    assert isinstance(second.ask(encode(Ping(2)), b""), Pong)


# Hellos


def test_a_hello_for_another_connections_key_is_refused(house, mallory):
    """Both ways round: mallory's connection with ann's good hello, and with its own identity over ann's transport."""
    assert refusal(mallory.ask(*mallory.hello(key=key_of("ann")))) == "not_authorised"
    hello = decode_request(mallory.hello().body)
    assert isinstance(hello, Hello)
    forged = msgspec.structs.replace(hello, transport=key_of("ann").identity.transport)
    assert refusal(mallory.ask(*sign_body(key_of("mallory"), encode(forged)))) == "not_authorised"
    claimed = msgspec.structs.replace(hello, identity=key_of("ann").identity.signing)
    assert refusal(mallory.ask(*sign_body(key_of("mallory"), encode(claimed)))) == "bad_signature"
    assert refusal(mallory.ask(encode(Ping(1)), b"")) == "no_session"


@pytest.mark.parametrize("changes", [{"house": bytes(32)}, {"version": 2}, {"role": "operator"}, {"role": "bidder "}])
def test_a_hello_for_another_house_version_or_role_is_refused(mallory, changes):
    hello = decode_request(mallory.hello().body)
    changed = sign_body(mallory.key, encode(msgspec.structs.replace(hello, **changes)))
    assert refusal(mallory.ask(*changed)) == "not_authorised"


@pytest.mark.parametrize("spoil", ["signature", "no-signature", "body"])
def test_a_hello_that_is_not_well_signed_is_refused(house, raw_session_of, spoil):
    forger = raw_session_of("forger", house)
    body, signature = forger.hello()
    if spoil == "body":
        body = body[:10]
    signature = {"signature": bytes(64), "no-signature": b"", "body": signature}[spoil]
    assert refusal(forger.ask(body, signature)) == "bad_signature"


# Requests


def test_a_type_that_nobody_knows_is_called_so(mallory):
    mallory.greet()
    for body in (msgspec.msgpack.encode(["teleport", 1]), b"garbage", b"\xc1", b"\x91\xbf"):
        reply = mallory.ask(body, b"")
        assert refusal(reply) == "unknown_type"
        assert reply.command == command_id(body) or not reply.command


@pytest.mark.parametrize("name", ["list", "read", "subscribe", "ping"])
def test_a_known_type_with_nonsense_behind_it_is_malformed(mallory, name):
    mallory.greet()
    assert refusal(mallory.ask(msgspec.msgpack.encode([name, {}, {}, {}]), b"")) == "malformed"


@pytest.mark.parametrize("name", ["bid", "join"])
def test_a_command_that_is_signed_and_nonsense_is_malformed(mallory, name):
    mallory.greet()
    message = sign_body(mallory.key, msgspec.msgpack.encode([name, 1, 2, 3]))
    reply = mallory.ask(*message)
    assert (refusal(reply), reply.command) == ("malformed", command_id(message.body))


@pytest.mark.parametrize("signature", [bytes(64), b""], ids=["wrong", "none"])
def test_a_bid_that_is_not_well_signed_is_refused_by_name(house, mallory, signature):
    mallory.greet()
    body = bid_of("mallory", house).body
    reply = mallory.ask(body, signature)
    assert (refusal(reply), reply.command) == ("bad_signature", command_id(body))


def test_a_session_cannot_bid_with_another_identity(house, mallory):
    """Neither a bid that ann signed, nor one in ann's name that mallory signed."""
    mallory.greet()
    of_ann = bid_of("ann", house)
    assert refusal(mallory.ask(*of_ann)) == "bad_signature"
    in_anns_name = bid_of("ann", house, as_name="mallory")
    reply = mallory.ask(*in_anns_name)
    assert (refusal(reply), reply.command) == ("not_authorised", command_id(in_anns_name.body))


def test_an_observer_may_look_and_not_bid(house, raw_session_of):
    cleo = raw_session_of("cleo", house)
    cleo.greet("observer")
    assert isinstance(cleo.ask(encode(List(0)), b""), Catalogue)
    reply = cleo.ask(*bid_of("cleo", house))
    assert refusal(reply) == "not_authorised"
    assert "needs the role bidder" in reply.message


def test_what_does_not_exist_is_said_or_passed_over(mallory):
    mallory.greet()
    reply = mallory.ask(encode(Read(bytes(32), 0)), b"")
    assert (refusal(reply), reply.command) == ("no_such_auction", bytes(32))
    mallory.send(encode(Subscribe((bytes(32),))), b"")
    assert isinstance(mallory.ask(encode(Ping(1)), b""), Pong)


# Everything at once


def garbage(random_: random.Random, good: list[Message]) -> list[bytes]:
    """One message out of ``good``, spoilt in one of many ways; or noise."""
    body, signature = random_.choice(good)
    match random_.randrange(7):
        case 0:
            return [random_.randbytes(random_.randrange(1, 400)), signature]
        case 1:
            return [body[: random_.randrange(len(body) + 1)], signature]
        case 2:
            place = random_.randrange(len(body))
            return [body[:place] + bytes([body[place] ^ (1 << random_.randrange(8))]) + body[place + 1 :], signature]
        case 3:
            return [body, random_.randbytes(random_.choice((0, 1, 63, 64, 65)))]
        case 4:
            return [random_.randbytes(random_.randrange(20)) for _ in range(random_.randrange(1, 12))]
        case 5:
            return [bytes([0x90 | random_.randrange(16), 0xA0 | random_.randrange(32)]) + body, signature]
        case _:
            return [b"\x94" * random_.randrange(1, 4_000), signature]


def answers_to_the_end(session: RawSession) -> bool:
    """Ask for something that was not asked for before, and read on until it comes; the list may overtake the hello."""
    session.send(*session.hello())
    session.send(encode(List(2**52)), b"")
    while session._socket.poll(200):
        reply = session.receive()
        if isinstance(reply, Catalogue) and reply.start == 2**52:
            return True
    return False


def test_no_message_of_any_kind_harms_an_honest_session(house, mallory, bidder_of, raw_session_of):
    """Reproduce with SEED."""
    random_ = random.Random(SEED)
    ann, erin = bidder_of("ann", house), bidder_of("erin", house)
    auction = house.auctions["lamp"]
    all_join([ann, erin], [auction])
    house.hear()
    before = dict(house.pids)
    good = [
        mallory.hello(),
        bid_of("mallory", house),
        bid_of("ann", house),
        *(Message(encode(item)) for item in (List(0), Ping(1), Subscribe((auction,)), Read(auction, 0), Bye())),
        Message(encode(Remind(auction, b"note"))),
    ]
    for number in range(GARBAGE_MESSAGES):
        if number % GARBAGE_OF_ONE == 0:
            sender = raw_session_of(GARBAGE_NAMES[number // GARBAGE_OF_ONE], house)
        if number % 10 == 0:
            sender.send(*sender.hello())  # or all would end with the first bye that came through
        sender.send(*garbage(random_, good))
        if number % 100 == 0:
            bidder = (ann, erin)[number // 100 % 2]
            assert bidder.settle(bidder.bid(auction, number + 1)) == "receipted", SEED
    until(lambda: answers_to_the_end(mallory), "another session to be served as well")
    house.hear()
    assert house.pids == before
    assert not house.stderr
    ann.run_until(lambda: ann.auction(auction).bid_count == GARBAGE_MESSAGES // 100, "every bid")
    assert ann.audited(auction).auction.bid_count == GARBAGE_MESSAGES // 100, "and no bid but theirs"


def test_a_joining_and_its_repetition_get_the_same_receipt(house, bidder_of):
    dora = bidder_of("dora", house)
    dora.greet()
    command = dora.join(house.auctions["vase"])
    assert dora.settle(command) == "receipted"
    receipts = len([notice for notice in dora.notices if isinstance(notice, Receipts)])
    dora.submit(dora._sent[command])
    dora.run_until(
        lambda: len([notice for notice in dora.notices if isinstance(notice, Receipts)]) > receipts, "another receipt"
    )
    assert len(dora.kept) == 1


def test_whoever_does_not_sign_its_hello_again_and_again_is_kept_out_and_nobody_else_is(house, raw_session_of):
    nina = raw_session_of("nina", house)
    body, _ = nina.hello()
    for _ in range(POINTS_TO_MUTE):
        nina.send(body, bytes(64))
    until(
        lambda: ("nina", MISGREETED) in [(each.get("name"), each.get("fault")) for each in house.reports],
        "the mute",
        lambda: house.hear(0.1),
    )
    again = raw_session_of("nina", house)
    again.send(*again.hello())
    raw_session_of("ann", house).greet()
    assert not again._socket.poll(300)


def test_whoever_signs_badly_again_and_again_is_refused_at_the_edge(house, raw_session_of):
    olaf = raw_session_of("olaf", house)
    olaf.greet()
    forged = bid_of("olaf", house, as_name="ann")
    assert [refusal(olaf.ask(*forged)) for _ in range(MAX_FORGERIES)] == ["bad_signature"] * MAX_FORGERIES
    answer = olaf.ask(*forged)
    assert (answer.code, answer.command) == ("muted", command_id(forged.body)), "it is not even checked"
    assert refusal(olaf.ask(encode(List(0)), b"")) == "muted"
    assert isinstance(olaf.ask(encode(Ping(3)), b""), Pong)
