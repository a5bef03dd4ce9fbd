"""What several instances of a house take is, all together, what its limits say; and what of them has changed."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.limits import Limits
from auctionctl.house.quotas import Quotas
from auctionctl.house.rates import Rate, RateLimit
from auctionctl.house.shared_limits import (
    OWN,
    RATES,
    changed,
    differing_words,
    listed,
    part_of,
    read,
    with_shared,
    write,
)
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.keys.signing import SecretKey

ANN = SecretKey(b"a" * 32).identity


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.integers(1, 16))
def test_the_parts_of_all_instances_are_no_more_than_the_whole_and_at_least_one_each(
    rate: int, burst: int, instances: int
) -> None:
    part = part_of(Limits(bids_per_s=rate, bids_burst=burst), instances)
    assert 1 <= part.bids_per_s <= max(1, rate // instances)
    assert instances * part.bids_per_s <= max(instances, rate)
    assert instances * part.bids_burst <= max(instances, burst)


def test_what_counts_logs_of_the_whole_house_is_not_divided() -> None:
    limits = Limits()
    part = part_of(limits, 3)
    assert {each.name for each in fields(Limits) if getattr(part, each.name) != getattr(limits, each.name)} == {*RATES}


def test_the_only_instance_has_the_whole() -> None:
    assert part_of(Limits(), 1) == Limits()


def test_an_identity_that_goes_to_all_of_three_instances_gets_as_much_as_of_one() -> None:
    limits = Limits(bids_per_s=21, bids_burst=42)
    part = part_of(limits, 3)
    several = [RateLimit(Rate(part.bids_per_s, part.bids_burst)) for _ in range(3)]
    alone = RateLimit(Rate(limits.bids_per_s, limits.bids_burst))
    instants = [number * SECOND_NS // 100 for number in range(1_000)]
    taken = sum(not each.take("ann", now_ns) for now_ns in instants for each in several)
    whole = sum(not alone.take("ann", now_ns) for now_ns in instants for _ in range(3))
    assert whole - len(several) <= taken <= whole


def test_a_limit_that_the_allow_list_says_is_divided_too() -> None:
    own = {ANN.signing: {"bids_per_s": 90, "max_bids_an_auction": 7}}
    its = part_of(Limits(), 3).of_their_own(own)[ANN.signing]
    assert (its.bids_per_s, its.max_bids_an_auction, its.bids_burst) == (30, 7, Limits().bids_burst // 3)
    quotas = Quotas(part_of(Limits(), 3), AllowList([(1, Entry(ANN, "ann", "bidder", (("bids_per_s", "90"),)))]), {})
    assert quotas._shares.listed._each.rate_of(ANN.signing).per_s == 30
    assert quotas._shares.listed._each.rate_of(b"ben").per_s == Limits().bids_per_s // 3


def test_what_instances_have_in_common_is_every_limit_but_that_of_each_ones_queue() -> None:
    assert {each.name for each in fields(Limits)} - listed(Limits()).keys() == OWN == {"queue"}
    assert read(write(listed(Limits()))) == listed(Limits())


def test_a_limit_is_changed_where_it_is_another_one_than_before_and_not_where_it_is_new() -> None:
    before = listed(Limits())
    assert changed(before, listed(replace(Limits(), bids_per_s=5))) == {"bids_per_s": 5}
    del before["bids_per_s"]
    assert changed(before, listed(replace(Limits(), bids_per_s=5))) == {}


def test_what_is_shared_goes_before_what_the_settings_say_and_what_nobody_knows_is_passed_over() -> None:
    limits = with_shared(Limits(queue=3), {"bids_per_s": 5, "of_a_later_version": 1, "queue": 9})
    assert limits == Limits(queue=3, bids_per_s=5)


@pytest.mark.parametrize("text", [b"", b"[]", b'{"queue":0}', b'{"queue":-1}', b'{"queue":"1"}', b"\xff"])
def test_what_is_no_list_of_limits_says_nothing(text: bytes) -> None:
    assert read(text) == {}


def test_a_difference_is_said_with_both_values() -> None:
    assert "bids_per_s (20 here, 50 in force)" in differing_words({"bids_per_s": 20}, {"bids_per_s": 50})
    assert differing_words({}, {}) == ""
