"""The checkers of pauses and settlements can fail, too: what a seed brought, with one thing changed, does not pass."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from checkers import (
    CheckFailed,
    Outage,
    check_caps,
    check_rejections,
    check_settlement,
    exposure_minor,
    naive_of,
    owed_minor,
)
from histories import Past, find
from naive_pauses import NaivePauses, uncovered_ns
from signatures import signatures_for
from timeline import SECOND_NS


@pytest.fixture(scope="module", autouse=True)
def _signatures() -> Iterator[None]:
    with signatures_for(1):
        yield


RESOLD = {"defaulted", "offered*", "accepted*", "payment*", "settled*"}


@pytest.fixture(scope="module")
def resold(_signatures: None) -> Past:
    """A sale that was not paid for, offered to the next bidder, accepted, paid and settled."""
    return find(lambda past: set(past.kinds) >= RESOLD)


@pytest.fixture(scope="module")
def lapsed(_signatures: None) -> Past:
    """A sale that was offered to a bidder who did not answer, and reverted."""
    return find(lambda past: {"defaulted", "offered*", "declined", "reverted"} <= set(past.kinds))


@pytest.fixture(scope="module")
def waited(_signatures: None) -> Past:
    """An auction that stood still by its terms, and went on."""
    return find(lambda past: {"paused", "resumed", "closed"} <= set(past.kinds))


@pytest.fixture(scope="module")
def stopped(_signatures: None) -> Past:
    """An auction that an operator paused, and whose terms or whose operator had it go on."""
    return find(lambda past: {"paused*", "closed"} <= set(past.kinds))


def fails(name: str, what: str = "") -> Any:
    return pytest.raises(CheckFailed, match=rf"^{name}: .*{what}")


# Settlement


@pytest.mark.parametrize(
    ("kind", "place", "value", "what"),
    [
        ("payment*", 7, 1, "wrong_amount"),
        ("payment*", 3, b"x" * 32, "not_the_winner"),
        ("payment*", 6, 0, "expired"),
        ("settled*", 8, b"x" * 32, "wrong_payment"),
        ("offered*", 7, b"x" * 32, "not_next_bidder"),
        ("offered*", 8, 1, "not_next_bidder"),
        ("offered*", 3, b"x" * 32, "not_the_seller"),
        ("accepted*", 7, b"x" * 32, "wrong_offer"),
        ("accepted*", 3, b"x" * 32, "not_offered"),
        ("accepted*", 1, b"x" * 32, "wrong_house"),
        ("defaulted", 1, b"x" * 32, "not so"),
        ("defaulted", 2, "absence", "not so"),
    ],
)
def test_a_step_of_a_settlement_against_the_rules_is_found(
    resold: Past, kind: str, place: int, value: Any, what: str
) -> None:
    def other(entry: list[Any]) -> None:
        entry[2][place] = value if entry[2][place] != "absent" else "late"

    with fails("rules", what):
        naive_of(resold.with_entry(resold.index_of(kind), other))


@pytest.mark.parametrize("kind", ["defaulted", "offered*", "accepted*", "payment*"])
def test_a_settlement_without_one_of_its_steps_is_found(resold: Past, kind: str) -> None:
    index = resold.index_of(kind)
    with fails("rules"):
        naive_of(resold.entries[:index] + resold.entries[index + 1 :])


def test_an_end_of_a_sale_before_its_time_is_found(lapsed: Past) -> None:
    for kind in ("defaulted", "declined"):
        index = lapsed.index_of(kind)
        before_ns = naive_of(lapsed.entries[:index]).running_ns - 1

        def sooner(entry: list[Any], at_ns: int = before_ns) -> None:
            entry[1] = at_ns

        with fails("rules", "too soon"):
            naive_of(lapsed.with_entry(index, sooner))


@pytest.mark.parametrize("name", ["stage", "debtor", "price_minor", "bid_index", "due_ns", "by_ns"])
def test_a_settlement_that_stands_elsewhere_is_found(resold: Past, name: str) -> None:
    check_settlement(resold.live, resold.naive)
    doctored = copy.deepcopy(resold.naive)
    setattr(doctored.sale, name, "elsewhere")
    with fails("settlement", "elsewhere"):
        check_settlement(resold.live, doctored)
    doctored.sale = None
    with fails("settlement", "there is one"):
        check_settlement(resold.live, doctored)


def test_a_payment_that_the_settlement_does_not_know_is_found(resold: Past) -> None:
    paid = resold.entries[: resold.index_of("payment*") + 1]
    naive = naive_of(paid)
    live = copy.copy(resold.live)
    live.settlement = copy.copy(live.settlement)
    for name, plain in (("stage", "stage"), ("due_ns", "due_ns"), ("stage_by_ns", "by_ns")):
        setattr(live.settlement, name, getattr(naive.sale, plain))
    check_settlement(live, naive)
    live.settlement.payment = bytes(32)
    with fails("settlement", "payment"):
        check_settlement(live, naive)


def test_who_owes_what_follows_the_settlement(resold: Past) -> None:
    _, closed = resold.naive.ends[0]
    winner, buyer = closed[2], resold.naive.sale.debtor
    sold = naive_of(resold.entries[: resold.index_of("closed") + 1])
    assert owed_minor(sold, winner) == closed[3]
    assert owed_minor(resold.naive, winner) == (0 if winner != buyer else resold.naive.sale.price_minor)
    assert owed_minor(resold.naive, buyer) == resold.naive.sale.price_minor
    assert exposure_minor(winner, [], {b"lot": sold}, 0) == {b"lot": closed[3]}


def test_a_rejection_of_a_command_that_the_rules_would_take_is_found(resold: Past) -> None:
    index = resold.index_of("payment*")
    refused = find_refused(resold)
    check_rejections(resold.entries, resold.refused, resold.watch.bodies)
    name = next(name for name, at in resold.naive.commands.items() if at == index)
    doctored = refused._replace(command=name, code="expired", log_size=index, time_ns=resold.naive.time_ns)
    with fails("rejections"):
        check_rejections(resold.entries, [doctored], resold.watch.bodies)


def find_refused(past: Past) -> Any:
    """Any rejection: it is changed throughout."""
    return next(iter(past.watch.refused))


# Pauses


def test_a_pause_without_cause_and_one_that_ends_without_is_found(waited: Past) -> None:
    for kind in ("paused", "resumed"):
        index = waited.index_of(kind)
        with fails("rules"):
            naive_of(waited.entries[:index] + waited.entries[index + 1 :])

    def other(entry: list[Any]) -> None:
        entry[2][1] = "terms" if entry[2][1] == "cap" else "cap"

    with fails("rules", "resumed without cause"):
        naive_of(waited.with_entry(waited.index_of("resumed"), other))


def test_a_pause_after_the_end_and_one_that_repeats_another_are_found(stopped: Past) -> None:
    index = stopped.index_of("paused*")
    with fails("rules"):
        naive_of([*stopped.entries[: index + 1], *stopped.entries[index:]])
    with fails("rules"):
        naive_of([*stopped.entries, stopped.entries[index]])


def test_more_pauses_and_longer_ones_than_the_terms_allow_are_found(waited: Past) -> None:
    outages = waited.watch.outages
    check_caps(waited.naive, outages)
    for place, value, what in ((1, 0, "pauses, and"), (2, -3600 * SECOND_NS, "stood still"), (3, 0, "waited for")):
        doctored = copy.deepcopy(waited.naive)
        doctored.pauses.rules = [*doctored.pauses.rules]
        doctored.pauses.rules[place] = value
        with fails("caps", what):
            check_caps(doctored, outages)
    doctored = copy.deepcopy(waited.naive)
    doctored.pauses.waits = {b"ann": [(0, 3_600 * SECOND_NS)], b"ben": [(0, 10)]}
    with fails("caps", "waited for longer"):
        check_caps(doctored, [])
    check_caps(doctored, [Outage(0, 3_600 * SECOND_NS, 0, {}, 0)])


def test_what_a_gap_covers_counts_against_no_cap() -> None:
    gaps = [(5, 8), (20, 30)]
    assert uncovered_ns((0, 10), 0, gaps) == 7
    assert uncovered_ns((6, None), 25, gaps) == 19 - 2 - 5
    pauses = NaivePauses(["pause", 2, 100, 1, 10])
    pauses.absent.append(b"ann")
    assert pauses.must_begin(False, gaps)
    pauses.begin(4, True, gaps)
    assert pauses.waited_for == [b"ann"]
    assert pauses.cap_ns([(5, 8)]) == 4 + 10 + 3
    assert pauses.end(12, gaps) == 8
    assert (pauses.spent_ns(gaps), pauses.spent_for_ns(b"ann", gaps)) == (5, 5)
    assert not pauses.must_begin(False, gaps), "once for a bidder is all"
    assert pauses.must_end(False)
