"""What a house says of its work is what was done, and names are told to operators alone."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from daemon_run import ANN
from house_process import key_of

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.effects import Gauge
from auctionctl.house.metrics import Stage
from auctionctl.keys.allowlist import Entry
from auctionctl.keys.signing import SecretKey, verify
from auctionctl.net.child_words import encode as encode_hop
from auctionctl.net.chunks import Checked
from auctionctl.net.control import receive_control
from auctionctl.net.hops import Counted, SessionCounted, decode_from_gateway
from auctionctl.net.house_words import decode_from_child
from auctionctl.net.metering import Meter
from auctionctl.net.pipes import PipeClosedError
from auctionctl.net.process_state import ProcessState
from auctionctl.net.under_way import UnderWay
from auctionctl.wire.measures import Measure, Measures
from auctionctl.wire.messages import Refused, decode_reply, encode

STATE = ProcessState(17, 2 * SECOND_NS, 4096, 5)


def request(session: int = 1) -> tuple[int, bytes, bytes, bytes, bytes]:
    return session, b"", b"body", b"", b""


def metered(stage: Any) -> Meter:
    """With two requests that wait, and half a kilobyte in the store."""
    return Meter(stage.house, [1, 2], lambda: 512)


@pytest.fixture
def meter(stage: Any) -> Meter:
    return metered(stage)


def counted(*sessions: SessionCounted) -> Counted:
    return Counted(STATE, 4, 2, [(3, 5)], 15, list(sessions))


def ask(meter: Meter, session: int) -> Any:
    return decode_reply(meter.answer(session, 7 * SECOND_NS))


def test_requests_wait_from_their_check_until_they_are_taken_up(meter: Meter, stage: Any) -> None:
    meter.arrived(Checked(1, [request()] * 3, [], received_ns=100, checked_ns=150), 0)
    meter.arrived(Checked(2, [request()] * 2, [], received_ns=100, checked_ns=300), 0)
    meter.waits(150, 3)
    meter.waits(300, 2)
    meter.begin(4)
    meter.decided()
    meter.committed()
    found = {each.stage: each for each in meter.measures(stage.now_ns).stages}
    assert {name: each.count for name, each in found.items()} == {
        "check": 5,
        "wait": 4,
        "decide": 4,
        "commit": 4,
        "answer": 0,
        "total": 0,
    }
    assert found["check"].total_ns == 3 * 50 + 2 * 200
    meter.begin(1)
    assert {each.stage: each.count for each in meter.measures(stage.now_ns).stages}["wait"] == 5
    measured = meter.measures(stage.now_ns)
    amounts = ("requests", "batches", "commits", "queue", "store_bytes", "checked", "forged")
    assert [measured.amount(name) for name in amounts] == [5, 2, 1, 2, 512, 5, 0]


def test_a_commit_outside_the_batch_is_none_of_its_requests(meter: Meter, stage: Any) -> None:
    meter.begin(4)
    meter.decided()
    meter.committed()
    durable_ns, commit_ns = meter.durable_ns, meter.commit_ns
    assert 0 < commit_ns < durable_ns
    meter.committed()
    meter.performed()
    meter.committed()
    assert meter.durable_ns == durable_ns
    meter.begin(3)
    assert meter.durable_ns == 0
    meter.decided()
    meter.performed()
    meter.committed()
    assert meter.durable_ns == 0, "nothing of the batch had to be durable"
    assert meter.commit_ns == commit_ns, "it is of the last batch that had to be"
    measured = meter.measures(stage.now_ns)
    assert {each.stage: each.count for each in measured.stages if each.stage in ("decide", "commit")} == {
        "decide": 7,
        "commit": 4,
    }
    assert measured.amount("commits") == 4


def test_a_commit_of_the_time_alone_says_nothing_of_how_long_others_take(meter: Meter) -> None:
    taken_ns = []
    for is_of_time_alone in (False, True):
        meter.begin(1)
        meter.decided()
        meter.committed(is_of_time_alone=is_of_time_alone)
        taken_ns.append(meter.commit_ns)
    assert taken_ns[0] == taken_ns[1] > 0


def test_what_a_house_writes_beside_a_batch_is_no_commit_of_its_requests(run: Any) -> None:
    """Questions alone, of which nothing has to be durable, while the registry says whom the list lets in as well."""
    ben = key_of("ben").identity

    def commits() -> int:
        return int(run.process._house.tally.recent.ever(Stage.COMMIT).count)

    run.greet()
    run.read()
    before = commits()
    run.allow(Entry(ANN.identity, "ann"), Entry(ben, "ben"))
    while run.process._house.allowed.by_signing(ben.signing) is None:
        run.read()
    run.read()
    assert commits() == before


def test_an_empty_batch_and_a_beat_count_for_nothing_but_the_verifier_is_known(meter: Meter, stage: Any) -> None:
    meter.arrived(Checked(1, [], [], received_ns=0, checked_ns=10, state=STATE), 1)
    meter.begin(0)
    meter.decided()
    meter.committed()
    measured = meter.measures(stage.now_ns)
    assert [each.count for each in measured.stages] == [0] * 6
    assert {each.name: each.pid for each in measured.processes}["verifier 1"] == 17


def test_auctions_bids_and_refusals_are_counted_by_what_came_of_them(stage: Any) -> None:
    meter = metered(stage)
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 1_000))
    stage.handle(stage.bid(2, auction, 1_000))
    measured = meter.measures(stage.now_ns)
    families = {(each.family, each.label): each.count for each in measured.labelled}
    assert families == {
        ("auctions", "open"): 1,
        ("rejected", "below_increment"): 1,
        ("reputation", "good"): 0,
        ("reputation", "bad"): 0,
    }
    assert measured.amount("acknowledged") == 3  # two joinings and a bid
    assert [(each.auction, each.count) for each in measured.busiest] == [(auction, 3)]
    stage.after(30 * SECOND_NS)
    meter.ended(stage.house.take_closed())
    meter.ended(stage.house.take_closed())
    families = {(each.family, each.label): each.count for each in meter.measures(stage.now_ns).labelled}
    assert families["ended", "completed"] == 1
    # One of two has stood by its bid until the end.
    assert (families["reputation", "good"], families["reputation", "bad"]) == (1, 0)


def test_each_instance_counts_what_it_holds_so_that_all_of_them_add_up_to_the_house(company: Any) -> None:
    both = company("a", "b")
    both.after(2 * SECOND_NS)
    for number in range(6):
        both.sell(f"lot-{number}")
    both.after(2 * SECOND_NS)
    measured = [metered(both[name]).measures(both.time_of(name)) for name in ("a", "b")]
    for amount in ("auctions_open", "auctions_unfinished"):
        counts = [each.amount(amount) for each in measured]
        assert (min(counts) > 0, sum(counts)) == (True, 6)
    phases = [each.count for its in measured for each in its.labelled if each.family == "auctions"]
    assert sum(phases) == 6


def test_whoever_may_know_gets_to_know_who_is_connected(meter: Meter, stage: Any) -> None:
    stage.enter(5, "otto", "operator")
    meter.gateway_counted(
        counted(SessionCounted(5, "192.0.2.1", 1, 2, 3, 4, 5, 6), SessionCounted(99, "", 1, 2, 3, 4, 5, 6))
    )
    found = ask(meter, 5)
    assert isinstance(found, Measures)
    (peer,) = found.peers
    assert (peer.name, peer.role, peer.host, peer.round_trip_ns, peer.waiting) == (
        "otto",
        "operator",
        "192.0.2.1",
        3,
        6,
    )
    assert (found.amount("connections"), found.amount("under_way")) == (4, 2)
    assert {each.stage: each.count for each in found.stages}["total"] == 5
    meter.gateway_lost()
    assert ask(meter, 5).peers == ()


def test_to_measure_costs_at_most_a_fortieth_of_checking_the_signature_of_a_bid(stage: Any) -> None:
    """A ratio within one run, in chunks of 16: 1 µs of the 44 that a bare verification takes."""
    meter, under_way = Meter(stage.house, [], lambda: 0), UnderWay()
    key, message, chunk = SecretKey(bytes(32)), bytes(220), [request()] * 16
    signature, public = key.sign(message), key.identity.signing

    def measured(number: int) -> None:
        meter.arrived(Checked(number, chunk, [], received_ns=number, checked_ns=2 * number), 0)
        meter.waits(2 * number, len(chunk))
        meter.begin(len(chunk))
        meter.decided()
        meter.committed()
        under_way.totals.note(3 * number, len(chunk))
        under_way.sent(len(chunk), meter.durable_ns, meter.durable_ns + number)

    def cpu_s(work: Callable[[int], object]) -> float:
        began_s = time.process_time()
        for number in range(400):
            work(number)
        return time.process_time() - began_s

    pairs = [(cpu_s(measured) / len(chunk), cpu_s(lambda _: verify(public, message, signature))) for _ in range(5)]
    assert statistics.median(ours / bare for ours, bare in pairs) <= 1 / 40


def test_a_batch_is_durable_from_its_commit_on_and_the_next_one_is_not(meter: Meter) -> None:
    before_ns = time.monotonic_ns()
    meter.begin(1)
    assert meter.durable_ns == 0
    meter.decided()
    meter.committed()
    assert before_ns <= meter.durable_ns <= time.monotonic_ns()
    meter.begin(1)
    assert meter.durable_ns == 0


def test_signatures_that_are_wrong_are_counted(meter: Meter, stage: Any) -> None:
    meter.arrived(Checked(1, [request()], [(1, b"x"), (1, b"y")], received_ns=0, checked_ns=10), 0)
    measured = meter.measures(stage.now_ns)
    assert [measured.amount(name) for name in ("checked", "forged")] == [1, 2]


def test_what_gateways_refused_is_counted_over_all_of_them_and_with_what_the_house_did(stage: Any) -> None:
    meter = metered(stage)
    stage.house.tally.refused["rate"] += 1

    def refused() -> dict[str, int]:
        return {each.label: each.count for each in meter.measures(stage.now_ns).labelled if each.family == "refused"}

    meter.gateway_counted(Counted(STATE, 4, 2, [], 0, [], [(3, 2)], 6, [("rate", 5), ("malformed", 1)]))
    assert refused() == {"rate": 6, "malformed": 1}
    meter.gateway_lost()
    assert refused() == {"rate": 6, "malformed": 1}
    meter.gateway_counted(Counted(STATE, 4, 2, [], 0, [], [], 0, [("rate", 2)]))
    assert refused() == {"rate": 8, "malformed": 1}
    assert {each.stage: each.count for each in meter.measures(stage.now_ns).stages}["answer"] == 2


@pytest.mark.parametrize("refused", [[("Rate\x1b", 1)], [("", 1)], [("x", -1)], [("x" * 33, 1)], [("x", 1)] * 33])
def test_codes_of_a_gateway_are_words_and_few(refused: list[tuple[str, int]]) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_from_gateway(encode_hop(Counted(STATE, 4, 2, [], 15, [], [], 0, refused)))


def test_an_observer_is_told_nothing_and_whoever_is_gone_neither(meter: Meter, stage: Any) -> None:
    stage.enter(6, "olga", "observer")
    for session in (6, 7):
        refused = ask(meter, session)
        assert isinstance(refused, Refused)
        assert refused.code == "not_authorised"


def test_the_rules_let_nobody_ask_but_operators_and_observers(stage: Any) -> None:
    stage.enter(5, "otto", "operator")
    stage.enter(6, "ann", "bidder")
    assert Gauge(5) in stage.handle(stage.ask(5, Measure()))
    (refused,) = stage.handle(stage.ask(6, Measure()))
    assert decode_reply(refused.message.body).code == "not_authorised"


def test_an_answer_is_within_what_a_message_holds_however_many_are_connected(meter: Meter, stage: Any) -> None:
    stage.enter(5, "otto", "operator")
    sessions = [SessionCounted(5, "2001:db8::ffff:ffff:ffff:ffff", *[2**60] * 6) for _ in range(1_000)]
    meter.gateway_counted(counted(*sessions))
    assert len(encode(ask(meter, 5))) < 32_768


def test_what_the_supervisor_is_told_names_nobody_and_comes_once_a_second(meter: Meter, stage: Any) -> None:
    stage.enter(5, "otto", "operator")
    meter.gateway_counted(counted(SessionCounted(5, "192.0.2.1", 1, 2, 3, 4, 5, 6)))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for now_ns in (SECOND_NS, 2 * SECOND_NS - 1, 2 * SECOND_NS):
            meter.tell(ours, now_ns)
        ours.shutdown(socket.SHUT_WR)
        told = [decode_from_child(receive_control(theirs)[0]) for _ in range(2)]
        with pytest.raises(PipeClosedError):
            receive_control(theirs)
    assert [each.measures.time_ns for each in told] == [SECOND_NS, 2 * SECOND_NS]
    assert [(each.measures.peers, each.measures.amount("connections")) for each in told] == [((), 4)] * 2


def test_what_never_came_to_its_turn_does_not_make_others_seem_to_wait(stage: Any) -> None:
    meter = Meter(stage.house, [], lambda: 0)
    meter.waits(1, 9)
    meter.gateway_lost()
    meter.waits(1, 1)
    meter.begin(1)
    meter.begin(8)
    assert {each.stage: each.count for each in meter.measures(stage.now_ns).stages}["wait"] == 1


def test_what_is_behind_what_was_dropped_is_not_taken_for_it(stage: Any) -> None:
    meter = Meter(stage.house, [1, 2, 3], lambda: 0)  # of another gateway, which have waited nobody knows how long
    meter.waits(1, 9)
    meter.gateway_lost()
    meter.waits(1, 2)
    meter.begin(3)
    assert {each.stage: each.count for each in meter.measures(stage.now_ns).stages}["wait"] == 0
    meter.begin(2)
    assert {each.stage: each.count for each in meter.measures(stage.now_ns).stages}["wait"] == 2


@pytest.mark.parametrize(
    ("totals", "host"), [([(1 << 33, 1)], ""), ([(-1, 1)], ""), ([(1, -1)], ""), ([(1, 1)] * 400, ""), ([], "x" * 129)]
)
def test_what_a_gateway_counts_beyond_all_measure_is_no_message(totals: list[tuple[int, int]], host: str) -> None:
    session = SessionCounted(5, host, 1, 2, 3, 4, 5, 6)
    with pytest.raises(msgspec.DecodeError):
        decode_from_gateway(encode_hop(Counted(STATE, 4, 2, totals, 15, [session])))
