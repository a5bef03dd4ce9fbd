"""A slip of a program is told as one, with what to write instead, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from auctionctl.client.arguments import check_names, check_start, check_text, check_texts, check_wait, own_factory
from auctionctl.errors import ConfigurationError


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: check_text("amount", 12.5), "amount: 12.5 is no text"),
        (lambda: check_texts({"value": "1EUR", "factor": 5}), "the parameter factor: 5 is no text"),
        (lambda: check_names(auctions=["vase"], match="gpu-*"), r"match: 'gpu-\*' is one name, not several"),
        (lambda: check_wait(float("nan")), "wait_s: nan is no time"),
        (lambda: check_wait(float("inf")), "wait_s: inf is no time"),
        (lambda: check_wait(-1), "wait_s: -1 is no time"),
        (lambda: check_start(-1), "start: -1 is no index"),
        (lambda: own_factory("manual", {}), "manual asks a person"),
        (lambda: own_factory("exec:x", {}), "unknown strategy 'exec:x'"),
        (lambda: own_factory(None, {}), "strategy: None is no text"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(check: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        check()
    assert caught.value.hint


def test_what_can_be_meant_passes() -> None:
    check_text("amount", "12.50EUR")
    check_texts({})
    check_names(auctions=[], match=("gpu-*",))
    check_wait(0)
    check_start(0)
    assert own_factory("truthful", {"value": "5EUR"}) is not None
