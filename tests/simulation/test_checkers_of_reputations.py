"""The checkers of reputations and replaced keys can fail: what a seed brought does not pass with one thing changed."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from checkers import (
    CheckFailed,
    Refused,
    check_conduct,
    check_reputations,
    check_rotations,
    check_statements,
)
from histories import Past, find, pack, unpack
from naive_reputation import DAY_NS, ONE, NaiveReputations, worth
from signatures import signatures_for
from watch import Presences

from auctionctl.house.intake import Request

DEFAULTED, INVALID = 4, 6


@pytest.fixture(scope="module", autouse=True)
def _signatures() -> Iterator[None]:
    with signatures_for(1):
        yield


@pytest.fixture(scope="module")
def unpaid(_signatures: None) -> Past:
    """A sale in which somebody defaulted, and another bidder stood by its bids."""
    return find(lambda past: "defaulted" in past.kinds and len({bid[1] for bid in past.naive.bids}) > 1)


@pytest.fixture(scope="module")
def asked(_signatures: None) -> Past:
    """An auction that asked for a reputation, and let somebody in."""
    return find(lambda past: past.naive.rules[14] > 0 and "joined*" in past.kinds)


@pytest.fixture
def plain(unpaid: Past) -> NaiveReputations:
    return NaiveReputations(unpaid.watch.registry.entries)


def fails(name: str, what: str = "") -> Any:
    return pytest.raises(CheckFailed, match=rf"^{name}: .*{what}")


@pytest.mark.parametrize("place", range(1, INVALID + 1))
def test_a_deed_that_did_not_happen_is_found(unpaid: Past, plain: NaiveReputations, place: int) -> None:
    logs = {unpaid.id: unpaid.entries}
    check_conduct(plain, logs)
    number = next(n for n, (_, auction, row) in enumerate(plain.said) if auction == unpaid.id and row[DEFAULTED])
    time_ns, auction, row = plain.said[number]
    plain.said[number] = time_ns, auction, [*row[:place], row[place] + 1, *row[place + 1 :]]
    with fails("conduct", "invalid bids" if place == INVALID else "the registry says"):
        check_conduct(plain, logs)


def test_a_bidder_of_whom_nothing_is_said_or_everything_twice_is_found(unpaid: Past, plain: NaiveReputations) -> None:
    logs, said = {unpaid.id: unpaid.entries}, plain.said
    plain.said = [each for each in said if each[1] != unpaid.id]
    with fails("conduct", "the registry says"):
        check_conduct(plain, logs)
    plain.said = said * 2
    with fails("conduct", "not each named once"):
        check_conduct(plain, logs)


def test_a_reputation_that_is_another_now_or_later_is_found(unpaid: Past, plain: NaiveReputations) -> None:
    house = unpaid.world.shell.house
    assert house is not None
    live, now_ns = house.registry.state.reputations.ppm, house.registry.state.last_time_ns
    debtor = next(row[0] for row in plain.said_of(unpaid.id) if row[DEFAULTED])
    check_reputations(live, plain, [debtor, bytes(32)], now_ns)
    for days in (0, 90):

        def other(key: bytes, at_ns: int, days: int = days) -> int:
            return live(key, at_ns) + (at_ns == now_ns + days * DAY_NS)

        with fails("reputations", f"after {days} days"):
            check_reputations(other, plain, [debtor], now_ns)
    plain.said = [each for each in plain.said if each[2][0] != debtor]
    with fails("reputations", "by the plain rules 500000"):
        check_reputations(live, plain, [debtor], now_ns)


def test_a_statement_of_another_reputation_is_found(asked: Past) -> None:
    plain = NaiveReputations(asked.watch.registry.entries)
    assert check_statements(asked.entries, (), {}, plain) == sum(kind == "joined*" for kind in asked.kinds)

    def boast(entry: list[Any]) -> None:
        entry[2][7] += 1

    with fails("reputations", "which that bidder had not"):
        check_statements(asked.with_entry(asked.index_of("joined"), boast), (), {}, plain)


@pytest.mark.parametrize(
    ("code", "stated_by", "told_by", "holds"),
    [
        ("low_reputation", 0, 0, True),
        ("low_reputation", 1, 0, False),
        ("wrong_reputation", 1, 0, True),
        ("wrong_reputation", 1, 1, False),
        ("wrong_reputation", 1, 2, False),
        ("wrong_reputation", 0, 0, False),
    ],
)
def test_who_is_kept_out_by_a_wrong_judgement_of_its_reputation_is_found(
    asked: Past, code: str, stated_by: int, told_by: int, holds: bool
) -> None:
    """``stated_by``, ``told_by``: how far from what it is the bidder and the house say that it is."""
    plain = NaiveReputations(asked.watch.registry.entries)
    _, time_ns, data, _ = unpack(asked.entries[asked.index_of("joined")])
    *join, has_ppm = unpack(data)
    body = pack([*join, has_ppm + stated_by])
    told = (("stated", has_ppm + stated_by), ("reputation", has_ppm + told_by))
    refused, bodies = Refused(asked.id, sha256(body).digest(), code, told, 1, time_ns), {sha256(body).digest(): body}
    if holds:
        check_statements(asked.entries, [refused], bodies, plain)
        return
    with fails("reputations", code):
        check_statements(asked.entries, [refused], bodies, plain)


def test_evidence_is_forgotten_by_half_in_ninety_days_and_in_the_end_altogether() -> None:
    assert [worth(age) for age in (0, 90, 180, 2_880, 2_881)] == [ONE, ONE // 2, ONE // 4, 1, 0]
    assert all(worth(age) ** 90 <= 2 ** (2_880 - age) < (worth(age) + 1) ** 90 for age in range(0, 2_881, 37))


def test_all_keys_of_one_holder_have_one_reputation() -> None:
    keys = [bytes([number]) * 32 for number in range(4)]
    rotations = [["key_rotated", 5, pack(["rotate", b"", *pair, b"", b""]), b"s"] for pair in pairwise(keys[:3])]
    said = ["conduct", 7, pack(["conduct", b"auction", [[keys[1], 1, 1, 1, 0, 0, 0]]]), b""]
    plain = NaiveReputations(map(pack, [*rotations, said]))
    assert [plain.ppm(key, 8) for key in keys] == [833_333] * 3 + [500_000]
    assert plain.ppm_then(keys[0], 7) == {500_000, 833_333}


def test_a_key_that_bids_after_it_was_replaced_and_another_key_of_its_holder_are_found(unpaid: Past) -> None:
    plain = NaiveReputations(unpaid.watch.registry.entries)
    check_rotations(unpaid.entries, plain)
    one, other = sorted({bid[1] for bid in unpaid.naive.bids})[:2]
    start_ns, end_ns = (unpack(unpaid.entries[index])[1] for index in (0, -1))
    plain.rotations = [(start_ns, one, bytes(32))]
    with fails("rotations", "by a key that was replaced"):
        check_rotations(unpaid.entries, plain)
    plain.rotations = [(end_ns, one, other)]
    with fails("rotations", "another key of somebody who is here"):
        check_rotations(unpaid.entries, plain)


def test_a_holder_is_there_under_the_keys_that_it_replaced_and_no_such_key_by_itself() -> None:
    presences, one, other = Presences(), b"one", b"other"
    presences.judging([request(1, one, "hello")], 1)
    presences.settle()
    assert presences.is_here(one)
    presences.replaced = {other: one}
    presences.shut_out(2)
    assert not presences.is_here(one)
    assert presences.gone_since_ns(one) == 2
    presences.judging([request(2, one, "hello"), request(3, other, "hello")], 3)
    presences.settle()
    assert presences.is_here(one)
    presences.judging([request(3, other, "bye")], 4)
    presences.settle()
    assert not presences.is_here(one)
    assert presences.gone_since_ns(one) == 4


def request(session: int, signer: bytes, name: str) -> Request:
    return Request(session, signer, pack([name]), b"signature")
