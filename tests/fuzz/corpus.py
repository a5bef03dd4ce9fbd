"""Valid inputs of every format, as a house and its bidders write them: what the fuzzing of decoders starts from."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from auctionctl.auction.commands import AnyCommand, Capacity, encode_command
from auctionctl.auction.events import Takeover, encode_event
from auctionctl.auction.terms import SECOND_NS, ReserveOpening, encode_opening
from auctionctl.house.effects import Publish, Send
from auctionctl.keys.keyfile import StoredKey, key_text
from auctionctl.keys.locked_key import CHEAPEST, lock_key
from auctionctl.replica.registry import Revoke, encode_registry_event, rotation
from auctionctl.tlog.checkpoint import CheckpointSigner
from auctionctl.tlog.cosignature import Cosigner
from auctionctl.tlog.entry import decode
from auctionctl.wire import messages
from auctionctl.wire.frames import MAX_REPLY_BYTES
from auctionctl.wire.measures import Busy, Labelled, Measure, Measures, PeerMeasure, ProcessMeasure, StageMeasure
from auctionctl.wire.messages import Bye, List, Ping, Read, Remind, Status, Subscribe


def load_stage() -> Any:
    """The stage of the house's tests, for programs that pytest does not start."""
    name = "auctionctl_tests_stage"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "house" / "stage.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class Corpus(NamedTuple):
    """What was said in and by one house; ``key`` is the house's, and ``bidder`` is ann's."""

    key: Any
    bidder: Any
    requests: list[bytes]
    replies: list[bytes]
    rejections: list[bytes]
    signed: list[bytes]
    entries: list[bytes]
    exports: list[bytes]
    announcement: bytes
    auction: bytes
    terms_body: bytes
    bids: list[tuple[bytes, bytes]]
    note: bytes
    clock_head: bytes


@cache
def corpus() -> Corpus:
    staging = load_stage()
    stage = staging.Stage()
    auction = stage.opened(reserve_minor=1_200, soft_close_window_ns=5 * SECOND_NS, max_extension_ns=50 * SECOND_NS)
    other = stage.opened(currency="JPY", starting_price_minor=1)
    bids = [stage.bid(1, auction, 1_000), stage.bid(2, auction, 1_200), stage.bid(1, auction, 1_400)]
    stage.handle(*bids, stage.bid(2, auction, 1), stage.bid(1, other, 5))
    asked = [Bye(), Ping(7), List(0), Subscribe((auction, b"")), Read(auction, 1), Status(), Measure()]
    asked.append(Remind(auction, stage.log(auction).checkpoint))
    stage.handle(*(stage.ask(2, each) for each in asked[2:]), stage.ask(9, List(0)))
    stage.until(stage.log(auction).auction.end_ns)
    said = {
        effect.message.body
        for effect in stage.effects
        if isinstance(effect, Send | Publish) and len(effect.message.body) < MAX_REPLY_BYTES
    }
    replies = sorted(body for body in said if len(body) < 2_000)
    batches = [messages.decode_reply(body) for body in replies if body[1:12] == b"\xaarejections"]
    rejections = [each.rejection for batch in batches for each in batch.rejections]
    hello = stage.hello(30, "cleo")
    entries = [*stage.data(auction), *stage.registry_data()[:6]]
    signed = [bid.body for bid in bids[:1]] + [stage.join(1, auction).body] + list(commands(stage, auction))
    origin = f"{stage.key.identity.text}/auction/{auction.hex()}"
    note = CheckpointSigner(origin, stage.key).sign(5, bytes(range(32)))
    places = ("house.example:8888", auction), ("[2001:db8::7]:65535", b""), ("", b"")
    moved = [messages.encode(messages.Moved(auction, place, command, 50)) for place, command in places]
    return Corpus(
        key=stage.key,
        bidder=staging.key_of("ann"),
        requests=[hello.body, *map(messages.encode, asked)],
        replies=[*replies, messages.encode(messages.ClockHead(auction, note)), measures(auction), *moved, *rejections],
        rejections=rejections,
        signed=signed,
        entries=entries,
        exports=[stage.export(auction), stage.registry_export()],
        announcement=stage.announcement(auction),
        auction=auction,
        terms_body=stage.log(auction).terms_body,
        bids=[(bid.body, bid.signature) for bid in bids],
        note=note,
        clock_head=Cosigner(stage.key.identity.text, stage.key).stamp(note, 1_800_000_000),
    )


def measures(auction: bytes) -> bytes:
    """How a house works, with one of everything."""
    stage = StageMeasure("commit", 10, 1_000, 2_000, 4_000, 100, 500_000)
    peer = PeerMeasure("ann", "bidder", "192.0.2.1", 1, 2, 3, 4, 5, 6)
    counted = (("queue", 3),), (Labelled("rejected", "stale", 5),), (ProcessMeasure("gateway", 17, 1, 2, 3),)
    return messages.encode(Measures(2, 1, 60, (stage,), *counted, (peer,), (Busy(auction, 9),)))


def commands(stage: Any, auction: bytes) -> list[bytes]:
    """One of each kind that a participant signs."""
    found: list[bytes] = []
    values = {"reason": "why", "reference": "ref", "amount_minor": 100, "currency": "EUR", "bid_index": 3}
    values |= {"capacity": Capacity.SELLER, "payment": b"p" * 32, "offer": b"o" * 32, "bidder": b"b" * 32}
    values |= {"house": b"h" * 32, "auction": auction, "actor": b"a" * 32, "nonce": b"n" * 16}
    values |= {"placed_at_ns": stage.now_ns, "not_after_ns": stage.now_ns + SECOND_NS}
    for of in AnyCommand.__args__:
        found.append(encode_command(of(**{name: values[name] for name in of.__struct_fields__})))
    return found


def bodies_of(entries: list[bytes], *, is_signed: bool) -> list[bytes]:
    """The bodies of entries that a participant signed, or that are the house's word."""
    return [entry.body for entry in map(decode, entries) if bool(entry.signature) is is_signed]


def key_changes() -> list[bytes]:
    """Keys that are revoked or replaced."""
    house, bidder = corpus().key.identity.signing, corpus().bidder
    me = bidder.identity.signing
    return [encode_registry_event(each) for each in (Revoke(house, me, me), rotation(me, bidder, house))]


def takeover() -> bytes:
    """What a house of one instance never says."""
    return encode_event(Takeover("two", 2))


def opening() -> bytes:
    return encode_opening(ReserveOpening(1_200, bytes(range(32))))


def key_files() -> list[bytes]:
    key = corpus().bidder
    created = "2026-01-31T12:00:00Z"
    locked = lock_key(key, created, b"correct horse", salt=b"s" * 16, nonce=b"n" * 24, cost=CHEAPEST)
    return [key_text(StoredKey(key, created)).encode(), locked.text.encode(), f"{key.seed_text}\n".encode()]


HOUSE_FILES = [
    b'name = "fair"\nport = 8888\nbind = "[::1]"\n[defaults]\nduration = "5m"\n',
    b'retention = "30d"\n[defaults]\nincrement = [["0", "1.00"], ["100", "5.00"]]\n',
    b'queue = 9\n[defaults]\nincrement = "5%"\non_default = "offer"\n',
]
AUCTIONS_FILES = [
    b'[[auction]]\nitem = "Lamp"\nstarting_price = "10.00EUR"\n',
    b'[defaults]\nduration = "1m"\n[[auction]]\nitem = "B"\nstarting_price = "5JPY"\n',
    b'[[auction]]\nitem = "B"\nstarting_price = "5EUR"\nreserve_price = "9"\n',
]
PERSON_FILES = [b'house = "fair"\nkey = "default"\noutput = "json"\n']
CONTEXT_FILES = [b'current = "a"\n[contexts.a]\nhouse = "auction://auc1@h:1"\nkey = "k"\n[contexts."b.c"]\nkey = "x"\n']


def canonical(body: bytes) -> bytes:
    """``body`` as msgspec writes the same values; itself if it holds none that can be written."""
    try:
        return msgspec.msgpack.encode(msgspec.msgpack.decode(body))
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError, TypeError):
        return body
