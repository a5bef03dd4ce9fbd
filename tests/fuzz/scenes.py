"""Scenes in a house where one message would be accepted, for whoever wants to see it spoilt; and the way it takes.

A message goes through what the gateway says of it, a verifier's check and the house, as in real processes. The state
is everything that a house knows, taken apart: two are the same exactly if nothing has changed.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import (
    Accept,
    Cancel,
    Capacity,
    Decline,
    Offer,
    Pause,
    Pay,
    RejectPayment,
    Resume,
    Settle,
)
from auctionctl.auction.rules import OnDefault, PaymentRules
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import RemoteProtocolError
from auctionctl.house.effects import Send
from auctionctl.house.intake import COMMANDS, Request
from auctionctl.keys.signing import Identity, SecretKey
from auctionctl.net.child_words import encode
from auctionctl.net.chunks import Chunk
from auctionctl.net.house_words import decode_checked
from auctionctl.net.verifier import check_chunk
from auctionctl.replica.registry import REGISTRY, Revoke, encode_registry_event, rotation
from auctionctl.wire.frames import Message, message_type, sign_body
from auctionctl.wire.messages import Finish, Hello, Refused, Rejections, decode_rejection, decode_reply, decode_request
from auctionctl.wire.messages import encode as encode_message

FORGED = "forged"
"""What the verifier names, and the house never sees."""
BIDDERS = {1: "ann", 2: "ben", 3: "cleo", 4: "dora"}
SUE, SAM, OTTO, OLGA, NEW = 8, 7, 9, 10, 20
ROLES = {SUE: ("sue", "seller"), SAM: ("sam", "seller"), OTTO: ("otto", "operator"), OLGA: ("olga", "observer")}
RENEWED = "renewed"
"""Whose key takes the place of another."""
OFFERING = PaymentRules(100 * SECOND_NS, 0, OnDefault.OFFER, 50 * SECOND_NS)


class Scene(NamedTuple):
    """``message`` of ``session`` would be accepted now; the others are auctions in which it would not."""

    stage: Any
    session: int
    message: Message
    key: SecretKey
    elsewhere: Mapping[str, bytes]


def populated(staging: Any) -> Any:
    """A stage with everybody in it."""
    stage = staging.Stage()
    for session, name in BIDDERS.items():
        stage.enter(session, name)
    for session, (name, role) in ROLES.items():
        stage.enter(session, name, role)
    return stage


def opened(stage: Any, **changes: Any) -> bytes:
    """An auction that ann, ben and cleo have joined, with bids of ann (seq 3), ben and ann (seq 7); ben leads."""
    auction: bytes = stage.announce(payment=OFFERING, duration_ns=40 * SECOND_NS, **changes)
    stage.handle(*(stage.join(session, auction) for session in (1, 2, 3)))
    for session, amount_minor, seq in ((1, 1_000, 3), (2, 1_200, 5), (1, 1_300, 7), (2, 1_500, 8)):
        stage.handle(stage.bid(session, auction, amount_minor, seq=seq))
    assert stage.log(auction).auction.bid_count == 4
    return auction


def sold(stage: Any) -> bytes:
    auction = opened(stage)
    stage.until(stage.log(auction).auction.end_ns)
    assert stage.kinds(auction)[-1] == "closed"
    return auction


def _others(stage: Any) -> dict[str, bytes]:
    """Auctions of this house that are not open to anything that somebody without a part in them sends."""
    closed = stage.announce("sam", duration_ns=2 * SECOND_NS, start_timeout_ns=SECOND_NS)
    stage.after(2 * SECOND_NS)
    assert stage.kinds(closed)[-1] == "cancelled"
    return {"ended": closed, "announced": stage.announce("sam", min_bidders=9, start_timeout_ns=3600 * SECOND_NS)}


def _give(stage: Any, session: int, of: Any, auction: bytes, *fields: Any) -> bytes:
    size = stage.log(auction).auction.size
    request = stage.command(session, of, auction, *fields)
    stage.handle(request)
    assert stage.log(auction).auction.size > size
    return command_id(request.body)


def _paid(stage: Any) -> tuple[bytes, bytes]:
    auction = sold(stage)
    return auction, _give(stage, 2, Pay, auction, 1_500, "EUR", "a reference")


def _defaulted(stage: Any) -> bytes:
    auction = sold(stage)
    stage.until(stage.log(auction).auction.get_timer())
    assert stage.kinds(auction)[-1] == "defaulted"
    return auction


def _offered(stage: Any) -> tuple[bytes, bytes]:
    auction = _defaulted(stage)
    bidder, bid = stage.log(auction).auction.settlement.next_bidder
    return auction, _give(stage, SUE, Offer, auction, bidder, bid.amount_minor, "EUR", bid.bid_index)


def _bid(stage: Any) -> Request:
    return stage.bid(1, opened(stage), 2_000, seq=11)


def _join(stage: Any) -> Request:
    return stage.join(4, opened(stage))


def _pause(stage: Any) -> Request:
    return stage.command(OTTO, Pause, opened(stage), "a reason")


def _resume(stage: Any) -> Request:
    auction = opened(stage)
    _give(stage, OTTO, Pause, auction, "")
    return stage.command(OTTO, Resume, auction, "a reason")


def _cancel(stage: Any) -> Request:
    return stage.command(OTTO, Cancel, stage.announce(start_timeout_ns=3600 * SECOND_NS), "a reason")


def _pay(stage: Any) -> Request:
    return stage.command(2, Pay, sold(stage), 1_500, "EUR", "a reference")


def _settle(stage: Any) -> Request:
    auction, payment = _paid(stage)
    return stage.command(SUE, Settle, auction, Capacity.SELLER, payment)


def _settle_as_operator(stage: Any) -> Request:
    auction, payment = _paid(stage)
    return stage.command(OTTO, Settle, auction, Capacity.OPERATOR, payment)


def _reject_payment(stage: Any) -> Request:
    auction, payment = _paid(stage)
    return stage.command(SUE, RejectPayment, auction, Capacity.SELLER, payment, "nothing came")


def _offer(stage: Any) -> Request:
    auction = _defaulted(stage)
    bidder, bid = stage.log(auction).auction.settlement.next_bidder
    return stage.command(SUE, Offer, auction, bidder, bid.amount_minor, "EUR", bid.bid_index)


def _accept(stage: Any) -> Request:
    auction, offer = _offered(stage)
    return stage.command(1, Accept, auction, offer)


def _decline(stage: Any) -> Request:
    auction, offer = _offered(stage)
    return stage.command(1, Decline, auction, offer)


def _hello(stage: Any) -> Request:
    return stage.hello(NEW, "dora")


def _terms(stage: Any) -> Request:
    stage.announce(listing="sold-before")
    return stage.offer(SUE, stage.terms("sue"))


def _signed(stage: Any, session: int, key: SecretKey, body: bytes) -> Request:
    return Request(session, key.identity.signing, *sign_body(key, body))


def _revoke(stage: Any) -> Request:
    otto, ann = (stage.house.presence.peers[session].identity.signing for session in (OTTO, 1))
    event = Revoke(stage.key.identity.signing, otto, ann)
    return _signed(stage, OTTO, stage.key_of("otto"), encode_registry_event(event))


def _rotate(stage: Any, session: int = 1, name: str = "ann") -> Request:
    old, new = stage.key_of(name), stage.key_of(RENEWED)
    event = rotation(old.identity.signing, new, stage.key.identity.signing)
    return _signed(stage, session, old, encode_registry_event(event))


def _finish(stage: Any) -> Request:
    """Ben has won, and another key has taken the place of the one that the log names."""
    within = stage.command(2, Pay, sold(stage), 1_500, "EUR", "a reference")
    stage.handle(_rotate(stage, 2, "ben"))
    session = stage.enter(NEW, RENEWED)
    stage.house.get_timer()  # ben, who was gone, is there again
    finish = Finish(stage.key.identity.signing, within.signer, within.body, within.signature)
    return _signed(stage, session, stage.key_of(RENEWED), encode_message(finish))


SCENES: dict[str, Callable[[Any], Request]] = {
    "bid": _bid,
    "join": _join,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "pay": _pay,
    "settle": _settle,
    "settle as operator": _settle_as_operator,
    "reject_payment": _reject_payment,
    "offer": _offer,
    "accept": _accept,
    "decline": _decline,
    "hello": _hello,
    "terms": _terms,
    "revoke": _revoke,
    "rotate": _rotate,
    "finish": _finish,
}


def scene(staging: Any, name: str) -> Scene:
    stage = populated(staging)
    stage.key_of = staging.key_of
    elsewhere = _others(stage)
    request = SCENES[name](stage)
    peer = stage.house.presence.peers.get(request.session)
    who = "dora" if peer is None else RENEWED if request.session == NEW else peer.name  # the first is of a hello
    message = Message(request.body, request.signature)
    return Scene(stage, request.session, message, staging.key_of(who), elsewhere)


# The way in


def send(stage: Any, session: int, message: Message, transport: bytes = b"") -> list[str]:
    """What comes of ``message``: the codes of refusals, ``forged``, or nothing where it is accepted."""
    type_name = message_type(message.body)
    peer = stage.house.presence.peers.get(session)
    signer = b""
    if peer is None and type_name != "hello":
        return ["no_session"]  # The gateway says so.
    if peer is not None and type_name in COMMANDS:
        signer = peer.identity.signing
    elif type_name == "hello":
        signer = _claimed(message.body)
    chunk = encode(Chunk(1, [(session, signer, *message, transport)]))
    checked = decode_checked(check_chunk(chunk))
    if checked.forged:
        assert not checked.requests
        return [FORGED]
    effects = stage.handle(*(Request(*item) for item in checked.requests))
    return codes(effects, session)


def _claimed(body: bytes) -> bytes:
    try:
        hello = decode_request(body)
    except RemoteProtocolError:
        return bytes(32)
    return hello.identity if isinstance(hello, Hello) else bytes(32)


def codes(effects: list[Any], session: int) -> list[str]:
    found: list[str] = []
    for effect in effects:
        if isinstance(effect, Send) and effect.session == session:
            reply = decode_reply(effect.message.body)
            if isinstance(reply, Refused):
                found.append(reply.code)
            elif isinstance(reply, Rejections):
                found += [decode_rejection(each.rejection).code for each in reply.rejections]
    return found


# The state


def state(stage: Any) -> list[Any]:
    """Everything that the house knows of its auctions, its registry and its sessions, and what its store holds."""
    house, store = stage.house, stage.store
    logs = [(log.id, log.tree.root(), log.durable_size, tuple(log.commands), _apart(log.auction)) for log in house.logs]
    stored = [(name, tuple(store.read(name))) for name, _ in store.logs() if name != REGISTRY]
    registry = (house.registry.tree.root(), _apart(house.registry.state), tuple(store.read(REGISTRY)))
    return [logs, stored, registry, _apart(house.presence), house.live_count, house.unfinished_count, house.get_timer()]


_PLAIN = (int, str, bytes, bool, type(None), float)


def _apart(value: Any) -> Any:
    """``value`` as nested tuples of plain values, to be compared."""
    if isinstance(value, _PLAIN) or callable(value):
        return value
    if isinstance(value, Identity):
        return (value.signing, value.transport)
    if isinstance(value, dict):
        return tuple((_apart(key), _apart(each)) for key, each in value.items())
    if isinstance(value, (set, frozenset)):
        return tuple(sorted(map(repr, map(_apart, value))))
    if isinstance(value, (list, tuple, array)):
        return tuple(map(_apart, value))
    names = [name for of in type(value).__mro__ for name in getattr(of, "__slots__", ())]
    names += list(getattr(value, "__dict__", ())) + list(getattr(value, "__struct_fields__", ()))
    parts = ((name, _apart(getattr(value, name))) for name in names if hasattr(value, name) and name != "__weakref__")
    return (type(value).__name__, *parts)
