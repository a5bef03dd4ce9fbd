"""Who is silent although pinged, or answers pings and nothing else, is given up in time; who answers is not."""

from __future__ import annotations

import pytest

from auctionctl.keys.signing import SecretKey
from auctionctl.replica.place_session import (
    ASK_AGAIN_NS,
    DEAF_NS,
    HELLO_NS,
    PING_NS,
    REFUSED_NS,
    SILENT_NS,
    UNGREETED_NS,
    UNREACHED_NS,
    PlaceSession,
)
from auctionctl.wire.session import ClientGreeting

GREETING = ClientGreeting(SecretKey(b"a" * 32), SecretKey(b"h" * 32).identity, "bidder")
NOW_NS = 10**18


def elsewhere(**fields: object) -> PlaceSession:
    usual = {
        "heard_ns": NOW_NS,
        "used_ns": NOW_NS,
        "ping_at_ns": NOW_NS + PING_NS,
        "ask_again_ns": NOW_NS + ASK_AGAIN_NS,
    }
    return PlaceSession(GREETING, NOW_NS, **(usual | fields))  # type: ignore[arg-type]


def test_what_was_asked_and_not_answered_ends_the_patience_sooner_or_later_than_silence() -> None:
    assert elsewhere().failing_ns() == NOW_NS + SILENT_NS
    assert elsewhere(asked_ns=NOW_NS, heard_ns=NOW_NS + DEAF_NS).failing_ns() == NOW_NS + DEAF_NS
    assert elsewhere(asked_ns=NOW_NS).failing_ns() == NOW_NS + min(SILENT_NS, DEAF_NS)


def test_service_is_looked_for_elsewhere_well_before_ten_seconds() -> None:
    assert max(SILENT_NS, DEAF_NS, UNGREETED_NS, UNREACHED_NS) <= 5 * 10**9


def test_a_session_that_is_welcome_is_pinged_and_another_is_greeted_again_and_asked_about() -> None:
    assert elsewhere(is_connected=True, is_welcome=True).due_ns() == NOW_NS + PING_NS
    assert elsewhere().due_ns() == NOW_NS + ASK_AGAIN_NS
    assert elsewhere(is_connected=True).due_ns() == 0, "greet it"
    late = elsewhere(is_connected=True, hello_at_ns=NOW_NS, ask_again_ns=NOW_NS + 9 * HELLO_NS)
    assert late.due_ns() == NOW_NS + HELLO_NS


@pytest.mark.parametrize(
    ("fields", "wait_ns"),
    [({}, UNREACHED_NS), ({"is_refused": True}, REFUSED_NS), ({"is_connected": True}, UNGREETED_NS)],
)
def test_a_home_is_waited_for_as_long_as_there_is_hope(fields: dict[str, bool], wait_ns: int) -> None:
    home = PlaceSession(None, NOW_NS, **fields)  # type: ignore[arg-type]
    assert home.unwelcome_home_until_ns() == NOW_NS + wait_ns
