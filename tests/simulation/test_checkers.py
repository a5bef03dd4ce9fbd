"""Each checker can fail: what a seed brought, with one thing changed, does not pass."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from checkers import (
    CheckFailed,
    Outage,
    Placed,
    Receipt,
    Stamp,
    apply_naively,
    check_audits,
    check_budget,
    check_commands_once,
    check_deadlines,
    check_ended_once,
    check_gaps_cover,
    check_gaps_true,
    check_left,
    check_order,
    check_receipts,
    check_rejections,
    check_roots,
    check_same_state,
    check_stamps,
    check_times,
    check_wallet,
    exposure_minor,
    naive_of,
)
from histories import Past, find, unpack
from naive_auction import NaiveAuction
from plan import Hazards, Weather, draw
from signatures import signatures_for
from timeline import SECOND_NS
from world import World

from auctionctl.auction.auction import Auction
from auctionctl.wire.messages import Entries, encode


@pytest.fixture(scope="module", autouse=True)
def _signatures() -> Iterator[None]:
    with signatures_for(1):
        yield


def has_all(past: Past) -> bool:
    """A sale among several, with bids, rejections, gaps and stamps."""
    completed = [body for _, body in past.naive.ends if body[1] == "completed"]
    is_rich = len(past.naive.bids) >= 3 and past.naive.gaps and past.refused and past.receipts and past.stamps
    return bool(completed and is_rich and len(past.watch.shadows) > 1)


@pytest.fixture(scope="module")
def past(_signatures: None) -> Past:
    return find(has_all)


@pytest.fixture(scope="module")
def files(past: Past) -> dict[bytes, bytes]:
    return past.world.exports()


def fails(name: str, what: str = "") -> Any:
    return pytest.raises(CheckFailed, match=rf"^{name}: .*{what}")


def test_the_history_that_is_changed_here_holds(past: Past, files: dict[bytes, bytes]) -> None:
    past.world.check(files)


# Acknowledged


def test_a_receipt_for_what_is_not_in_the_log_is_found(past: Past) -> None:
    receipt, logs = past.receipts[0], {past.id: past.entries}
    check_receipts(logs, past.receipts)
    for doctored, what in (
        (receipt._replace(index=len(past.entries)), "was acknowledged, and the log has"),
        (receipt._replace(index=receipt.index + 1), "another command"),
        (receipt._replace(command=bytes(32)), "another command"),
        (receipt._replace(time_ns=receipt.time_ns + 1), "dated otherwise"),
        (Receipt(bytes(32), receipt.command, 0, 0), "the log has 0"),
    ):
        with fails("receipts", what):
            check_receipts(logs, [doctored])


def test_a_command_that_stands_twice_is_found(past: Past) -> None:
    check_commands_once(past.entries)
    for kind in ("bid", "joined"):
        with fails("once", kind):
            check_commands_once([*past.entries, past.entries[past.index_of(kind)]])


def test_a_time_that_goes_back_is_found(past: Past) -> None:
    check_times(past.entries)

    def sooner(entry: list[Any]) -> None:
        entry[1] -= 3_600 * SECOND_NS

    with fails("times", "before the one below it"):
        check_times(past.with_entry(past.index_of("bid"), sooner))


# The plain rules


@pytest.mark.parametrize(
    ("kind", "place", "value", "what"),
    [
        ("bid", 5, 1, "below"),
        ("bid", 6, "XXX", "wrong_currency"),
        ("bid", 4, 0, "(stale|sequence_conflict)"),
        ("bid", 8, 0, "expired"),
        ("bid", 8, 2**62, "not_after_too_far"),
        ("bid", 3, bytes(32), "not_joined"),
        ("bid", 1, bytes(32), "wrong_house"),
        ("joined", 6, 0, "expired"),
        ("closed", 2, b"x" * 32, "is right"),
        ("closed", 3, 1, "is right"),
        ("closed", 4, 0, "is right"),
        ("closed", 1, "no_bids", "is right"),
        ("gap", 1, 0, "sign of life"),
    ],
)
def test_an_entry_against_the_rules_is_found(past: Past, kind: str, place: int, value: Any, what: str) -> None:
    def other(entry: list[Any]) -> None:
        entry[2][place] = value

    with fails("rules", what):
        naive_of(past.with_entry(past.index_of(kind), other))


def test_an_entry_out_of_place_is_found(past: Past) -> None:
    for entries in (
        past.entries[1:],
        [past.entries[0], *past.entries],
        [*past.entries, past.entries[-1]],
        [each for each in past.entries if unpack(each)[0] != "opened"],
        [each for each in past.entries if unpack(each)[0] != "joined"],
    ):
        with fails("rules"):
            naive_of(entries)


def test_a_close_before_the_end_is_found(past: Past) -> None:
    def sooner(entry: list[Any]) -> None:
        entry[1] = past.naive.end_ns - 1

    with fails("rules", "before its end"):
        naive_of(past.with_entry(past.index_of("closed"), sooner))


def test_no_end_and_an_end_without_its_winner_are_found(past: Past) -> None:
    check_ended_once(past.naive)
    with fails("one end", "ends 0 times"):
        check_ended_once(naive_of(past.entries[:-1]))
    doctored = copy.deepcopy(past.naive)
    doctored.ends *= 2
    with fails("one end", "ends 2 times"):
        check_ended_once(doctored)
    doctored.ends = [("closed", ["closed", "completed", None, None, None, None])]
    with fails("one end", "no winner"):
        check_ended_once(doctored)


# State and deadlines


@pytest.mark.parametrize("name", [name for name in Auction.__slots__ if name != "_format"])
def test_a_field_of_the_live_state_that_differs_from_its_log_is_found(past: Past, name: str) -> None:
    live = past.live
    check_same_state(live, past.watch.shadows[past.id].replay.state)
    doctored = copy.copy(live)
    setattr(doctored, name, object())
    with fails("live state", name):
        check_same_state(doctored, past.watch.shadows[past.id].replay.state)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phase", "open"),
        ("start_deadline_ns", 1),
        ("end_ns", 1),
        ("max_end_ns", 1),
        ("extensions", 77),
        ("bids", []),
        ("present", []),
    ],
)
def test_a_deadline_that_was_moved_by_something_else_is_found(past: Past, name: str, value: Any) -> None:
    live = past.live
    check_deadlines(live, past.naive)
    doctored = copy.deepcopy(past.naive)
    setattr(doctored, name, value)
    with fails("deadlines"):
        check_deadlines(live, doctored)


# Rejections


def test_a_wrong_rejection_is_found(past: Past) -> None:
    one, bodies = past.refused[0], past.watch.bodies
    check_rejections(past.entries, past.refused, bodies)
    accepted = past.receipts[-1]
    for doctored, what in (
        (one._replace(code="own_auction"), "where the plain rules say"),
        (one._replace(observed=(("amount", 1),)), "by replay"),
        (one._replace(time_ns=0), "before the last of them"),
        (one._replace(log_size=len(past.entries) + 1), "and the log has"),
        (one._replace(command=accepted.command, log_size=accepted.index + 1, time_ns=2**61), "is of entry"),
    ):
        with fails("rejections", what):
            check_rejections(past.entries, [doctored], bodies)


# Outages


def test_an_outage_in_no_gap_is_found(past: Past) -> None:
    check_gaps_cover(past.entries, past.id, past.watch.outages)
    opened = past.index_of("opened")
    since_ns = unpack(past.entries[opened])[1] + 1
    until_ns = since_ns + 3_600 * SECOND_NS
    outage = Outage(since_ns, until_ns, since_ns, {past.id: opened + 1}, until_ns)
    with fails("gaps", "are in no gap"):
        check_gaps_cover(past.entries, past.id, [outage])
    check_gaps_cover(past.entries, past.id, [outage._replace(start_ns=2**62)])
    check_gaps_cover(past.entries, past.id, [outage._replace(sizes={past.id: len(past.entries)})])
    check_gaps_cover(past.entries, past.id, [outage._replace(sizes={})])
    check_gaps_cover(past.entries, past.id, [outage._replace(needed_ns=since_ns)])


def test_a_gap_without_an_outage_is_found(past: Past) -> None:
    check_gaps_true(past.entries, past.watch.outages)
    with fails("gaps", "nothing was amiss"):
        check_gaps_true(past.entries, [])
    with fails("gaps", "nothing was amiss"):
        check_gaps_true(past.entries, [one._replace(end_ns=one.end_ns - 2 * SECOND_NS) for one in past.watch.outages])


def test_who_is_said_to_have_left_and_has_not_is_found() -> None:
    check_left(20 * SECOND_NS, False, 10 * SECOND_NS, True)
    with fails("left", "has a session"):
        check_left(20 * SECOND_NS, True, 0, True)
    with fails("left", "nobody could be there"):
        check_left(20 * SECOND_NS, False, 0, False)
    with fails("left", "after 9.9"):
        check_left(20 * SECOND_NS - SECOND_NS // 10, False, 10 * SECOND_NS, True)


def test_a_stamp_that_the_log_contradicts_is_found(past: Past) -> None:
    check_stamps(past.entries, past.stamps)
    size, time_ns = past.index_of("bid"), unpack(past.entries[past.index_of("bid")])[1]
    for doctored, what in (
        (Stamp(past.id, size, time_ns + 1), "before the stamp"),
        (Stamp(past.id, size + 1, time_ns - SECOND_NS), "after the stamp"),
        (Stamp(past.id, len(past.entries) + 1, time_ns), "the log has"),
    ):
        with fails("stamps", what):
            check_stamps(past.entries, [doctored])


# Order, money, wallets


def test_an_order_that_is_not_that_of_arrival_is_found(past: Past) -> None:
    bodies = [unpack(each)[2] for each in past.entries if unpack(each)[0] in ("bid", "joined")]
    check_order(past.entries, [b"another", *bodies, bodies[0]])
    with fails("order"):
        check_order(past.entries, bodies[::-1])
    with fails("order"):
        check_order(past.entries, bodies[1:])


def test_more_than_the_budget_is_found(past: Past) -> None:
    winner, price_minor = past.naive.leader, past.naive.price_minor
    assert price_minor is not None
    open_log = naive_of(past.entries[: past.index_of("bid") + 1])
    elsewhere = naive_of(past.entries[: past.index_of("opened") + 1])
    logs = {past.id: open_log, b"other": elsewhere}
    pending = Placed(b"other", b"command", 1, 70, open_log.time_ns + 1)
    raised = Placed(past.id, b"another", 10**6, price_minor + 5, open_log.time_ns + 1)
    assert exposure_minor(winner, [], logs, 0) == {past.id: price_minor}
    assert exposure_minor(winner, [pending, raised], logs, 0) == {past.id: price_minor + 5, b"other": 70}
    assert exposure_minor(winner, [pending, raised], logs, open_log.time_ns + 2) == {past.id: price_minor}
    assert exposure_minor(winner, [raised._replace(seq=1)], logs, 0) == {past.id: price_minor}
    assert exposure_minor(winner, [raised], {past.id: past.naive}, 0) == {past.id: price_minor}
    check_budget("ann", price_minor + 70, {past.id: price_minor, b"other": 70})
    with fails("budgets", "ann may have to pay"):
        check_budget("ann", price_minor + 69, {past.id: price_minor, b"other": 70})


def test_a_wallet_that_holds_something_else_is_found(past: Past) -> None:
    winner, price_minor = past.naive.leader, past.naive.price_minor
    assert price_minor is not None
    logs = {past.id: past.naive}
    check_wallet("ann", {past.id: price_minor}, logs, winner)
    check_wallet("ben", {}, logs, bytes(32))
    for committed, me in (({}, winner), ({past.id: price_minor}, bytes(32)), ({past.id: price_minor + 1}, winner)):
        with fails("wallets"):
            check_wallet("ann", committed, logs, me)


# Proofs


def test_a_file_that_does_not_verify_is_found(past: Past, files: dict[bytes, bytes]) -> None:
    house, registry = past.world.house_key.identity, files[b""]
    logs = {log: data for log, data in files.items() if log}
    check_audits(logs, registry, house)
    for doctored in (
        ({past.id: files[past.id][:-2]}, registry, house),
        (logs, files[past.id], house),
        (logs, registry, past.world.people[0].key.identity),
        ({b"another": files[past.id]}, registry, house),
    ):
        with fails("audit"):
            check_audits(*doctored)


def test_a_head_over_what_is_not_durable_or_under_another_root_is_found(past: Past) -> None:
    tree = past.watch.shadows[past.id].tree
    check_roots(2, tree.root(2), 2, tree.root)
    with fails("heads", "are durable"):
        check_roots(3, tree.root(3), 2, tree.root)
    with fails("heads", "another root"):
        check_roots(2, tree.root(3), 3, tree.root)


# Who watches


def test_a_feed_of_what_is_not_durable_is_found(past: Past) -> None:
    log = past.world.shell.house.log(past.id)
    with fails("feed"):
        past.watch._said_entries(encode(Entries(past.id, len(past.entries), (b"more",), log.checkpoint)))


def test_logs_that_are_lost_or_forget_at_a_restart_are_found(past: Past) -> None:
    logs = list(past.world.shell.house.logs)
    past.watch.recovered(logs, [])
    with fails("recovery", "quarantined"):
        past.watch.recovered(logs, [("auction/00", "for the test")])
    with fails("recovery", "other logs"):
        past.watch.recovered(logs[1:], [])
    forgetful = copy.copy(logs[0])
    forgetful.commands = {}
    with fails("recovery", "other commands"):
        past.watch.recovered([forgetful, *logs[1:]], [])


def test_an_agent_that_does_not_believe_an_honest_house_is_found(past: Past) -> None:
    with fails("accusations", "ann says: something"):
        past.watch.accused("ann", ValueError("something"))


def test_an_agent_that_never_sleeps_is_found(past: Past) -> None:
    past.watch.awake("ann", 10, 10)
    with fails("liveness", "always due"):
        past.watch.awake("ann", 11, 10)


def test_a_house_that_never_comes_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(replace(draw(1), incidents=(), hazards=Hazards(*[0.0] * 7), weather=Weather(0, 0, 0, 1, 1, 1, False)))
    monkeypatch.setattr(world.shell, "start", lambda: None)
    with fails("liveness", "the house is down"):
        world.run()


def test_the_plain_rules_take_one_entry_at_a_time(past: Past) -> None:
    naive = NaiveAuction()
    for data in past.entries:
        apply_naively(naive, data)
    assert naive.has_ended
    assert naive.size == len(past.entries)
