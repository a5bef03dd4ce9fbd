"""Entry by entry: what breaks a rule is named with its index and the rule, and leaves the state as it was."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.auction.auction import Auction
from auctionctl.auction.bid import Bid, Join, decode_bid, decode_join, encode_bid, encode_join
from auctionctl.auction.events import Gap, GapCause, Left, decode_event, encode_event, kind_of
from auctionctl.auction.rejection import RULES, Code
from auctionctl.auction.terms import SECOND_NS, auction_id, decode_terms
from auctionctl.errors import VerificationError
from auctionctl.house.auction_log import open_reserve
from auctionctl.house.registry import RegistryLog
from auctionctl.replica.audit import audit
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import Announced
from auctionctl.replica.replay import Replay
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import sign_body

SLOTS = [name for name in Auction.__slots__ if name != "_format"]


def replayed(book: Any, size: int | None = None) -> Replay:
    replay = Replay(book.house.identity.signing, book.auction)
    for data in book.entries[:size]:
        replay.apply(data)
    return replay


def state_of(replay: Replay) -> Any:
    auction = replay.auction
    values = None if auction is None else {name: getattr(auction, name) for name in SLOTS}
    return deepcopy((values, replay.size, replay.tree.root(), replay.contested))


def refused(replay: Replay, entry: Entry | bytes, rule: str) -> None:
    """``entry`` is refused under ``rule`` at the next index, and has changed nothing."""
    before = state_of(replay)
    with pytest.raises(VerificationError) as raised:
        replay.apply(entry if isinstance(entry, bytes) else encode(entry))
    assert (raised.value.rule, raised.value.index) == (rule, before[1]), str(raised.value)
    assert state_of(replay) == before


def test_what_has_been_replayed_is_counted_and_hashed(book: Any) -> None:
    replay = Replay(book.house.identity.signing, book.auction)
    assert (replay.size, replay.auction) == (0, None)
    with pytest.raises(AssertionError):
        replay.state  # noqa: B018
    tree = Tree()
    for index, data in enumerate(book.entries):
        applied = replay.apply(data)
        tree.append(leaf_hash(data))
        assert (applied.entry_index, encode(applied.entry)) == (index, data)
        assert (replay.size, replay.tree.root()) == (index + 1, tree.root())
        assert replay.state.size == index + 1


def test_every_entry_is_given_back_as_the_fact_in_it(book: Any) -> None:
    replay = Replay(book.house.identity.signing, book.auction)
    decoders: dict[str, Callable[[bytes], Any]] = {"terms": decode_terms, "joined": decode_join, "bid": decode_bid}
    for data in book.entries:
        applied = replay.apply(data)
        entry, fact = applied.entry, applied.fact
        decoder = decoders.get(entry.kind)
        assert fact == (decoder(entry.body) if decoder else decode_event(entry.kind, entry.body))
        assert bool(entry.signature) == (decoder is not None)


# How a log begins


def test_a_log_begins_with_its_own_terms(book: Any, stage: Any, staging: Any) -> None:
    fresh = replayed(book, 0)
    for index in range(1, len(book.entries)):
        refused(fresh, book.entries[index], "phase")
    refused(fresh, replace(book.entry(0), body=stage.terms().body), "terms")
    refused(Replay(b"o" * 32, book.auction), book.entries[0], "terms")
    refused(fresh, replace(book.entry(0), signature=b""), "signature")
    refused(fresh, replace(book.entry(0), signature=sign_body(book.house, book.entry(0).body).signature), "signature")
    not_terms = b"\x91\xa5terms"
    refused(Replay(book.house.identity.signing, auction_id(not_terms)), Entry(Kind.TERMS, 0, not_terms), "entry")
    refused(fresh, b"", "entry")
    assert fresh.apply(book.entries[0]).entry_index == 0


# Every rule that can refuse a command


class Scene:
    """A log of ``size`` entries, and commands at its end that are in order but for what a test changes."""

    def __init__(self, book: Any, staging: Any, size: int, after_ns: int = 1) -> None:
        self.staging = staging
        self.replay = replayed(book, size)
        self.time_ns = self.replay.state.last_time_ns + after_ns
        self.sent = {"house": book.house.identity.signing, "auction": book.auction}

    def bid(self, name: str, amount_minor: int, **changes: Any) -> Entry:
        key = self.staging.key_of(name)
        times = {"placed_at_ns": self.time_ns, "not_after_ns": self.time_ns + SECOND_NS}
        bid = Bid(
            **self.sent, bidder=key.identity.signing, seq=10**6, amount_minor=amount_minor, currency="EUR", **times
        )
        return Entry(Kind.BID, self.time_ns, *sign_body(key, encode_bid(replace(bid, **changes))))

    def join(self, name: str, **changes: Any) -> Entry:
        key = self.staging.key_of(name)
        times = {"placed_at_ns": self.time_ns, "not_after_ns": self.time_ns + SECOND_NS}
        join = Join(**self.sent, bidder=key.identity.signing, nonce=bytes(16), **times)
        return Entry(Kind.JOINED, self.time_ns, *sign_body(key, encode_join(replace(join, **changes))))


OPENED, ONE_BID, BEN_LEADS, BEN_LED_CLEO_LEFT = 5, 6, 10, 10
LONG_NS = 1_000 * SECOND_NS

Case = tuple[Code, int, int, Callable[[Scene], Entry]]
BROKEN: list[Case] = [
    (Code.WRONG_HOUSE, OPENED, 1, lambda s: s.bid("ann", 1_000, house=b"o" * 32)),
    (Code.WRONG_HOUSE, OPENED, 1, lambda s: s.join("dora", house=b"o" * 32)),
    (Code.CLOSED, OPENED, LONG_NS, lambda s: s.bid("ann", 1_000)),
    (Code.CLOSED, OPENED, LONG_NS, lambda s: s.join("dora")),
    (Code.CLOSED, 2, LONG_NS, lambda s: s.join("dora")),
    (Code.OWN_AUCTION, OPENED, 1, lambda s: s.bid("sue", 1_000)),
    (Code.OWN_AUCTION, 2, 1, lambda s: s.join("sue")),
    (Code.NOT_JOINED, OPENED, 1, lambda s: s.bid("dora", 1_000)),
    (Code.NOT_JOINED, BEN_LED_CLEO_LEFT, 1, lambda s: s.bid("cleo", 9_000)),
    (Code.ALREADY_JOINED, OPENED, 1, lambda s: s.join("ann")),
    (Code.WRONG_CURRENCY, OPENED, 1, lambda s: s.bid("ann", 1_000, currency="USD")),
    (Code.EXPIRED, OPENED, 1, lambda s: s.bid("ann", 1_000, not_after_ns=s.time_ns - 1)),
    (Code.EXPIRED, OPENED, 1, lambda s: s.join("dora", not_after_ns=s.time_ns - 1)),
    (Code.NOT_AFTER_TOO_FAR, OPENED, 1, lambda s: s.bid("ann", 1_000, not_after_ns=s.time_ns + 10 * SECOND_NS + 1)),
    (Code.NOT_AFTER_TOO_FAR, 2, 1, lambda s: s.join("ben", not_after_ns=s.time_ns + 10 * SECOND_NS + 1)),
    (Code.STALE, BEN_LEADS, 1, lambda s: s.bid("ben", 9_000, seq=1)),
    (Code.ALREADY_LEADING, BEN_LEADS, 1, lambda s: s.bid("ben", 9_000)),
    (Code.BELOW_STARTING_PRICE, OPENED, 1, lambda s: s.bid("ann", 999)),
    (Code.BELOW_INCREMENT, ONE_BID, 1, lambda s: s.bid("ben", 1_099)),
]


@pytest.mark.parametrize("case", BROKEN)
def test_a_command_that_breaks_a_rule_is_named_with_its_code(book: Any, staging: Any, case: Case) -> None:
    code, size, after_ns, broken = case
    scene = Scene(book, staging, size, after_ns)
    refused(scene.replay, broken(scene), code)


def test_another_bid_under_an_accepted_number_is_named(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, ONE_BID)
    seq = decode_bid(book.entry(5).body).seq
    refused(scene.replay, scene.bid("ann", 2_000, seq=seq), Code.SEQUENCE_CONFLICT)


def test_a_joining_repeated_after_a_departure_is_named(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, BEN_LED_CLEO_LEFT)
    nonce = decode_join(book.entry(3).body).nonce
    refused(scene.replay, scene.join("cleo", nonce=nonce), Code.JOIN_REPEATED)
    scene.replay.apply(encode(scene.join("cleo")))
    scene.replay.apply(encode(scene.bid("cleo", 9_000)))


CODES = tuple(Code)
OF_OTHER_COMMANDS = set(CODES[CODES.index(Code.NOT_PAUSED) :])


def test_every_rule_for_bids_and_joinings_has_been_broken() -> None:
    here = {code for code, *_ in BROKEN} | {Code.SEQUENCE_CONFLICT, Code.JOIN_REPEATED}
    # A bid before the opening, or while the auction stands still, breaks the table of phases first.
    assert here | {Code.NOT_OPEN, Code.PAUSED} == set(Code) - OF_OTHER_COMMANDS == set(RULES) - OF_OTHER_COMMANDS


def test_a_command_for_another_auction_is_named(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, OPENED)
    refused(scene.replay, scene.bid("ann", 1_000, auction=b"o" * 32), "wrong_auction")
    refused(scene.replay, scene.join("dora", auction=b"o" * 32), "wrong_auction")


def test_a_command_that_its_bidder_did_not_sign_is_named(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, OPENED)
    for entry in (scene.bid("ann", 1_000), scene.join("dora")):
        refused(scene.replay, replace(entry, signature=sign_body(book.house, entry.body).signature), "signature")
        refused(scene.replay, replace(entry, signature=b""), "signature")
        refused(scene.replay, replace(entry, signature=bytes(64)), "signature")


def test_bodies_of_another_kind_are_named(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, OPENED)
    bid, join = scene.bid("ann", 1_000), scene.join("dora")
    refused(scene.replay, replace(bid, kind=Kind.JOINED), "entry")
    refused(scene.replay, replace(join, kind=Kind.BID), "entry")
    left = Entry(Kind.LEFT, scene.time_ns, encode_event(Gap(scene.time_ns, scene.time_ns, GapCause.STALLED)))
    refused(scene.replay, left, "entry")
    refused(scene.replay, replace(left, body=b"\xc1"), "entry")


def test_an_event_of_the_house_carries_no_signature(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, OPENED)
    body = encode_event(Left(staging.key_of("ann").identity.signing))
    entry = Entry(Kind.LEFT, scene.time_ns, body)
    refused(scene.replay, replace(entry, signature=sign_body(book.house, body).signature), "signature")
    scene.replay.apply(encode(entry))


def test_kinds_that_no_phase_takes_are_named(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, OPENED)
    taken = {"takeover", "joined", "left", "bid", "gap", "paused", "cancelled", "closed"}
    for kind in Kind:
        if kind.value not in taken:
            refused(scene.replay, Entry(kind, scene.time_ns, b""), "phase")
    early = Scene(book, staging, 2)
    refused(early.replay, early.bid("ann", 1_000), "phase")


def test_with_enough_bidders_the_opening_comes_first(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, 4, after_ns=0)
    refused(scene.replay, scene.join("dora"), "opened")
    refused(scene.replay, replace(book.entry(4), time_ns=scene.time_ns + 1), "opened")
    scene.replay.apply(book.entries[4])


def test_time_never_goes_back(book: Any, staging: Any) -> None:
    scene = Scene(book, staging, OPENED, after_ns=-1)
    refused(scene.replay, scene.bid("ann", 1_000), "time")
    same = Scene(book, staging, OPENED, after_ns=0)
    same.replay.apply(encode(same.bid("ann", 1_000)))


def test_whoever_has_checked_signatures_elsewhere_may_say_so(book: Any) -> None:
    asked: list[tuple[bytes, bytes, bytes]] = []

    def trust(public: bytes, body: bytes, signature: bytes) -> bool:
        asked.append((public, body, signature))
        return True

    replay = Replay(book.house.identity.signing, book.auction, trust)
    for data in book.changed(5, signature=bytes(64)).entries:
        replay.apply(data)
    assert len(asked) == 8
    assert asked[4][2] == bytes(64)


# No false alarm

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["join", "bid", "bid", "bid", "leave", "gap", "wait"]),
        st.sampled_from(["ann", "ben", "cleo"]),
        st.integers(0, 4 * SECOND_NS) | st.sampled_from([0, 0, 1, SECOND_NS]),
        st.integers(0, 3),
    ),
    max_size=40,
)


class Clerk:
    """Keeps a log honestly: what is due first, then what the rules allow, and nothing else."""

    def __init__(self, stage: Any, staging: Any, body: bytes, signature: bytes) -> None:
        self.staging = staging
        self.key = stage.key
        self.now_ns = staging.START_NS
        self.auction = Auction(auction_id(body), decode_terms(body), self.now_ns)
        self.reserve = open_reserve(body, stage.key)
        self.entries = [encode(Entry(Kind.TERMS, self.now_ns, body, signature))]

    def announcement(self) -> bytes:
        registry = RegistryLog(self.key)
        seller, listing = self.auction.terms.seller, self.auction.terms.listing
        registry.admit(self.staging.EVERYBODY, self.staging.START_NS)
        registry.add(Announced(self.auction.id, seller, listing), self.staging.START_NS)
        registry.release_feed()
        return registry.announcement(self.auction.id)

    def due(self) -> None:
        while (due := self.auction.due(self.now_ns, self.reserve)) is not None:
            self.say(due)

    def say(self, said: Any) -> None:
        assert self.auction.check(said, self.now_ns) is None
        self.auction.apply(said, self.now_ns)
        self.entries.append(encode(Entry(Kind(kind_of(said)), self.now_ns, encode_event(said))))

    def act(self, kind: str, name: str, wait_ns: int, step: int) -> None:
        before_ns, self.now_ns = self.now_ns, self.now_ns + wait_ns
        bidder = self.staging.key_of(name).identity.signing
        if kind == "gap":
            since_ns = self.auction.next_gap_since_ns(before_ns)
            if self.auction.outcome is None and since_ns <= self.now_ns + SECOND_NS:
                self.say(Gap(since_ns, self.now_ns + SECOND_NS, GapCause.GATEWAY_LOST))
        self.due()
        if kind == "leave" and bidder in self.auction.present and self.auction.outcome is None:
            self.say(Left(bidder))
        elif kind in ("join", "bid"):
            self.command(kind, name, step)
        self.due()

    def command(self, kind: str, name: str, step: int) -> None:
        key = self.staging.key_of(name)
        sent = (self.key.identity.signing, self.auction.id, key.identity.signing)
        not_after_ns = self.now_ns + step * SECOND_NS
        size = self.auction.size
        if kind == "join":
            join = Join(*sent, size.to_bytes(16, "big"), self.now_ns, not_after_ns)
            if self.auction.decide_join(join, self.now_ns) is None:
                self.auction.apply_join(join, self.now_ns)
                self.entries.append(encode(Entry(Kind.JOINED, self.now_ns, *sign_body(key, encode_join(join)))))
            return
        amount_minor = self.auction.minimum_minor + 70 * step
        bid = Bid(*sent, size, amount_minor, "EUR", self.now_ns, not_after_ns)
        if self.auction.decide_bid(bid, self.now_ns) is None:
            self.auction.apply_bid(bid, self.now_ns)
            self.entries.append(encode(Entry(Kind.BID, self.now_ns, *sign_body(key, encode_bid(bid)))))


@settings(max_examples=120, deadline=None)
@given(
    actions=ACTIONS,
    min_bidders=st.integers(1, 4),
    window_s=st.sampled_from([0, 3, 20]),
    reserve=st.booleans(),
    last_wait_ns=st.sampled_from([0, 200 * SECOND_NS]),
)
def test_an_honest_log_always_verifies_to_the_state_that_its_house_had(
    staging: Any, *, actions: list[Any], min_bidders: int, window_s: int, reserve: bool, last_wait_ns: int
) -> None:
    stage = staging.Stage()
    terms = stage.terms(
        min_bidders=min_bidders,
        soft_close_window_ns=window_s * SECOND_NS,
        max_extension_ns=2 * window_s * SECOND_NS,
        reserve_minor=1_300 if reserve else None,
    )
    clerk = Clerk(stage, staging, *terms)
    for name in ("ann", "ben", "cleo"):
        clerk.act("join", name, 1, 1)
    for action in actions:
        clerk.act(*action)
    clerk.act("wait", "ann", last_wait_ns, 0)
    tree = Tree()
    for data in clerk.entries:
        tree.append(leaf_hash(data))
    origin = origin_of(stage.key.identity.text, f"auction/{clerk.auction.id.hex()}")
    note = CheckpointSigner(origin, stage.key).sign(tree.size, tree.root())
    found = audit(encode_export(clerk.entries, note, clerk.announcement()), stage.key.identity)
    for name in Auction.__slots__:
        assert getattr(found.auction, name) == getattr(clerk.auction, name), name
    event(f"{found.auction.end_reason} after {min(found.auction.bid_count, 3)} bids")
