"""A log rebuilt from its store is the log that was lost, and a store that holds something else is found out."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auctionctl.auction.bid import decode_bid, encode_bid
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import TermsError, VerificationError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.house.effects import Commit
from auctionctl.house.limits import Limits
from auctionctl.house.recovery import ENTRIES_AT_ONCE, rebuild
from auctionctl.replica.audit import audit
from auctionctl.replica.house_logs import check_announced
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import decode, encode
from auctionctl.wire.messages import Bye


def everything_of(log: AuctionLog) -> dict[str, Any]:
    """All state of a log but whom it is sent to."""
    state = {f"auction.{name}": getattr(log.auction, name) for name in type(log.auction).__slots__}
    for name in ("id", "name", "terms_body", "terms_signature", "reserve", "commands", "checkpoint"):
        state[name] = getattr(log, name)
    state["times_ns"] = list(log.times_ns)
    state["leaves"] = [log.tree.leaf(index) for index in range(log.tree.size)]
    state["root"] = log.tree.root()
    return state


OPERATIONS = st.one_of(
    st.tuples(st.just("bid"), st.integers(1, 3), st.integers(-1, 4)),
    st.tuples(st.just("bid"), st.integers(1, 3), st.integers(-1, 4)),
    st.tuples(st.just("join"), st.integers(1, 3), st.just(0)),
    st.tuples(st.just("pass"), st.sampled_from([1, 3, 11]), st.just(0)),
    st.tuples(st.sampled_from(["stall", "restart", "lose"]), st.integers(0, 9), st.just(0)),
    st.tuples(st.sampled_from(["leave", "repeat", "full"]), st.integers(1, 3), st.just(0)),
)


class Play:
    """A house to whom anything happens, in any order."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.sent: list[Any] = []
        changes = {"soft_close_window_ns": 4 * SECOND_NS, "max_extension_ns": 9 * SECOND_NS}
        self.auctions = [stage.announce(reserve_minor=1_500, **changes), stage.announce(min_bidders=1)]
        self.enter()

    def enter(self) -> None:
        for session, name in enumerate(("ann", "ben", "cleo"), 1):
            if session not in self.stage.house.presence.peers:
                self.stage.enter(session, name)

    def do(self, kind: str, number: int, step: int) -> None:
        stage = self.stage
        match kind:
            case "bid":
                self.enter()
                requests = [
                    stage.bid(number, a, max(1, stage.log(a).auction.minimum_minor + 50 * step)) for a in self.auctions
                ]
                self.send(requests)
            case "join":
                self.enter()
                self.send([stage.join(number, auction) for auction in self.auctions])
            case "repeat":
                self.send(self.sent[-number:])
            case "pass":
                stage.after(number * SECOND_NS)
            case "stall":
                stage.now_ns += number * SECOND_NS
                stage.handle()
            case "restart":
                stage.store.alive(stage.now_ns)
                stage.restart(number * SECOND_NS // 4)
            case "lose":
                stage.house.gateway_lost(stage.now_ns)
                stage.now_ns += number * SECOND_NS // 3
                stage.do(stage.house.gateway_back(stage.now_ns))
            case "leave":
                self.send([stage.ask(number, Bye())])
            case _:
                stage.is_full = True
                self.do("join", number, 0)
                self.do("bid", number, 0)
                self.do("stall", number, 0)
                stage.is_full = False

    def send(self, requests: list[Any]) -> None:
        self.sent += requests
        self.stage.handle(*requests)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(OPERATIONS, max_size=25), last_wait_s=st.sampled_from([0, 40]))
def test_whatever_happened_a_rebuilt_log_is_the_live_one_and_anybody_can_verify_it(
    staging: ModuleType, operations: list[tuple[str, int, int]], last_wait_s: int
) -> None:
    stage = staging.Stage(Limits())
    play = Play(stage)
    for number in (1, 2):
        play.do("join", number, 0)
    for operation in operations:
        play.do(*operation)
    stage.after(last_wait_s * SECOND_NS)
    for auction in play.auctions:
        live = stage.log(auction)
        found = audit(stage.export(auction), stage.key.identity)
        stored = rebuild(stage.key, live.name, stage.store.read(live.name))
        live.sign_head()
        assert everything_of(stored) == everything_of(live)
        assert stage.store.size(live.name) == live.tree.size == live.durable_size
        assert found.auction.outcome == live.auction.outcome
        for kind in set(stage.kinds(auction)):
            event(kind)
    assert stage.house.live_count == sum(log.auction.outcome is None for log in stage.house.logs)


def test_a_rebuilt_log_answers_what_the_lost_one_would_have(stage: Any, staging: ModuleType) -> None:
    auction = stage.opened()
    request = stage.bid(1, auction, 1_000)
    answer = staging.replies(stage.handle(request), 1)
    stage.restart(0)
    stage.enter(1, "ann")
    again = staging.replies(stage.handle(request), 1)
    ((first,), (second,)) = (reply.logs[0].receipts for reply in (answer[0], again[0]))
    assert (first.command, first.index) == (second.command, second.index)
    assert not any(isinstance(effect, Commit) for effect in stage.handle(request))


def finished(stage: Any) -> tuple[str, list[bytes]]:
    auction = stage.opened(reserve_minor=1_500)
    stage.handle(stage.bid(1, auction, 1_000), stage.bid(2, auction, 2_000))
    stage.after(21 * SECOND_NS)
    assert stage.kinds(auction) == ["terms", "joined", "joined", "opened", "bid", "bid", "closed"]
    return stage.log(auction).name, stage.data(auction)


def test_a_log_without_entries_is_none(stage: Any) -> None:
    with pytest.raises(VerificationError, match="a log without entries") as raised:
        rebuild(stage.key, "auction/" + "0" * 64, [])
    assert (raised.value.rule, raised.value.index) == ("terms", None)


@pytest.mark.parametrize("name", ["registry", "auction/", "auction/zz", "auction/" + "AB" * 32, "x" + "00" * 32])
def test_a_log_of_another_name_is_not_taken_for_an_auction(stage: Any, name: str) -> None:
    with pytest.raises(VerificationError, match="not the log of an auction"):
        rebuild(stage.key, name, finished(stage)[1])


def test_a_log_stored_under_the_name_of_another_is_found_out(stage: Any) -> None:
    with pytest.raises(VerificationError) as raised:
        rebuild(stage.key, "auction/" + "0" * 64, finished(stage)[1])
    assert (raised.value.rule, raised.value.index) == ("terms", 0)


def test_what_was_checked_before_it_was_stored_is_not_checked_again(stage: Any) -> None:
    name, data = finished(stage)
    entry = decode(data[4])
    claim = replace(decode_bid(entry.body), head_size=3, head_root=bytes(32))
    data[4] = encode(replace(entry, body=encode_bid(claim), signature=bytes(64)))
    assert rebuild(stage.key, name, data).auction.bid_count == 2
    replay = Replay(stage.key.identity.signing, bytes.fromhex(name[-64:]))
    for each in data[:4]:
        replay.apply(each)
    with pytest.raises(VerificationError) as raised:
        replay.apply(data[4])
    assert (raised.value.rule, raised.value.index) == ("signature", 4)


@pytest.mark.parametrize("size", [1, ENTRIES_AT_ONCE - 1, ENTRIES_AT_ONCE, ENTRIES_AT_ONCE + 1])
def test_every_entry_is_hashed_however_many_there_are(stage: Any, size: int) -> None:
    auction = stage.announce(min_bidders=1)
    if size > 1:
        stage.enter(1, "ann")
        stage.handle(stage.join(1, auction))
        stage.enter(2, "ben")
        stage.handle(stage.join(2, auction))
    while stage.log(auction).tree.size < size:
        number = stage.log(auction).tree.size
        stage.handle(stage.bid(1 + number % 2, auction, stage.log(auction).auction.minimum_minor))
    live = stage.log(auction)
    live.sign_head()
    assert live.tree.size == size
    assert everything_of(rebuild(stage.key, live.name, stage.data(auction))) == everything_of(live)


@pytest.mark.parametrize("missing", range(6))
def test_a_stored_entry_that_is_missing_is_found_out(stage: Any, missing: int) -> None:
    name, data = finished(stage)
    with pytest.raises(VerificationError):
        rebuild(stage.key, name, data[:missing] + data[missing + 1 :])


@pytest.mark.parametrize(
    ("index", "rule", "fields"),
    [
        (1, "time", {"time_ns": 0}),
        (4, "closed", {"time_ns": 2**63 - 1}),
        (4, "entry", {"body": b""}),
        (3, "signature", {"signature": b"s" * 64}),
        (3, "entry", {"body": b"\x91\xa6closed"}),
        (6, "phase", {"kind": "resumed"}),
        (6, "entry", {"kind": "paused"}),
        (2, "phase", {"kind": "bid"}),
    ],
)
def test_a_stored_entry_that_changed_is_named_with_its_rule(
    stage: Any, index: int, rule: str, fields: dict[str, Any]
) -> None:
    name, data = finished(stage)
    kinds = {"kind": type(decode(data[0]).kind)(fields["kind"])} if "kind" in fields else {}
    data[index] = encode(replace(decode(data[index]), **(fields | kinds)))
    with pytest.raises(VerificationError) as raised:
        rebuild(stage.key, name, data)
    assert (raised.value.rule, raised.value.index) == (rule, index)


def test_a_stored_price_that_changed_contradicts_the_close(stage: Any) -> None:
    name, data = finished(stage)
    entry = decode(data[5])
    data[5] = encode(replace(entry, body=encode_bid(replace(decode_bid(entry.body), amount_minor=9_999))))
    with pytest.raises(VerificationError) as raised:
        rebuild(stage.key, name, data)
    assert (raised.value.rule, raised.value.index) == ("closed", 6)


def test_damage_anywhere_in_a_store_never_raises_anything_but_a_verdict(stage: Any) -> None:
    name, data = finished(stage)
    seed = 7
    rng = random.Random(seed)
    found = 0
    for index, entry in enumerate(data):
        for position in range(len(entry)):
            damaged = bytearray(entry)
            damaged[position] ^= 1 << rng.randrange(8)
            try:
                rebuild(stage.key, name, [*data[:index], bytes(damaged), *data[index + 1 :]])
            except (VerificationError, TermsError):
                found += 1
    # What the rules cannot see here are signatures, nonces and claimed times: an audit finds those.
    assert found > sum(map(len, data)) // 2, seed


def test_a_log_of_another_house_is_not_taken(stage: Any, staging: ModuleType) -> None:
    name, data = finished(stage)
    with pytest.raises(VerificationError, match="name another house"):
        rebuild(staging.key_of("ann"), name, data)


def test_a_log_is_taken_only_as_its_registry_announces_it(stage: Any) -> None:
    auction = stage.announce()
    log = rebuild(stage.key, stage.log(auction).name, stage.data(auction))
    registry = stage.rebuild_registry().state
    check_announced(log.auction, registry)
    found = registry.auctions[auction]
    others = [
        (found._replace(seller=b"s" * 32), "does not announce this auction"),
        (found._replace(listing="other"), "does not announce this auction"),
        (found._replace(time_ns=found.time_ns + 1), "announces this auction at another time"),
        (None, "does not announce this auction"),
    ]
    for other, words in others:
        registry.auctions.pop(auction, None)
        registry.auctions |= {} if other is None else {auction: other}
        with pytest.raises(VerificationError, match=words) as raised:
            check_announced(log.auction, registry)
        assert (raised.value.rule, raised.value.index) == ("announcement", None)
