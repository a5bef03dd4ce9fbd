"""Every code that can refuse a command has a stable name and a rule in words."""

from __future__ import annotations

import re

import pytest

from auctionctl.auction.rejection import RULES, Code, Refusal


def test_the_codes_are_these_and_do_not_change_their_names() -> None:
    assert [str(code) for code in Code] == [
        "wrong_house",
        "not_open",
        "closed",
        "own_auction",
        "not_joined",
        "already_joined",
        "join_repeated",
        "wrong_currency",
        "expired",
        "not_after_too_far",
        "stale",
        "sequence_conflict",
        "already_leading",
        "below_starting_price",
        "below_increment",
        "paused",
        "not_paused",
        "paused_by_terms",
        "pauses_used_up",
        "has_bids",
        "command_repeated",
        "no_sale",
        "not_the_winner",
        "wrong_amount",
        "already_paid",
        "not_paid",
        "wrong_payment",
        "not_the_seller",
        "defaulted",
        "no_default",
        "not_next_bidder",
        "no_offer",
        "not_offered",
        "wrong_offer",
        "settled",
        "reverted",
        "wrong_reputation",
        "low_reputation",
    ]


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_rule_of_its_own_in_words(code: Code) -> None:
    rule = Refusal(code).rule
    assert rule == RULES[code]
    assert re.fullmatch(r"[a-z][^.\n]+[^.\s]", rule)
    assert [other for other in Code if RULES[other] == rule] == [code]


def test_no_rule_lacks_its_code() -> None:
    assert set(RULES) == set(Code)
    with pytest.raises(TypeError):
        RULES[Code.STALE] = "whatever suits"  # type: ignore[index]


def test_a_refusal_is_a_value_with_what_was_observed() -> None:
    assert Refusal(Code.STALE) == (Code.STALE, ())
    refusal = Refusal(Code.STALE, (("seq", 1), ("last_seq", 2)))
    assert dict(refusal.observed) == {"seq": 1, "last_seq": 2}
    assert refusal == Refusal(Code("stale"), (("seq", 1), ("last_seq", 2)))
