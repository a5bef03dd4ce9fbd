"""What a house refuses, and whom it cuts off, stands in its journal, which says so long after."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from house_process import key_of, lot, until

from auctionctl.errors import NotAuthorisedError
from auctionctl.house.intake import refused
from auctionctl.house.quotas import MAX_FORGERIES
from auctionctl.house.security import REFUSALS, SecurityKind
from auctionctl.keys.allowlist import AllowList, Entry
from auctionctl.net.clock import Clock
from auctionctl.net.control import receive_control
from auctionctl.net.hops import Misgreeted, Mute, Noticed
from auctionctl.net.house_words import decode_from_child
from auctionctl.net.noticing import TELL_NS, Noticing


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def told(ours: socket.socket) -> list[tuple[SecurityKind, str, int, str]]:
    found = []
    while select.select([ours], [], [], 0)[0]:
        message = decode_from_child(receive_control(ours)[0])
        assert isinstance(message, Noticed)
        found += [(event.kind, event.who, event.count, event.words) for event in message.events]
    return found


def test_refusals_are_read_off_the_answers_and_told_once_a_second(stage: Any, ends: Any) -> None:
    ours, theirs = ends
    stage.opened()
    noticing = Noticing(theirs, stage.house)
    for code in REFUSALS:
        noticing.sent(1, refused(code, f"because of {code}").body, Clock())
    noticing.sent(99, refused("not_authorised", "a stranger's hello").body, Clock())
    noticing.sent(1, refused("malformed", "a mistake").body, Clock())
    noticing.sent(1, b"\x91\xa7refused", Clock())
    noticing.sent(1, b"", Clock())
    noticing.tell(TELL_NS)
    name = stage.house.presence.peers[1].name
    found = told(ours)
    assert {(kind, who): count for kind, who, count, _ in found} == {
        (SecurityKind.REFUSED_ROLE, name): 1,
        (SecurityKind.REFUSED_ROLE, ""): 1,
        (SecurityKind.BAD_SIGNATURE, name): 1,
        (SecurityKind.RATE, name): 3,
        (SecurityKind.MUTE, name): 1,
    }
    noticing.sent(1, refused("rate", "again").body, Clock())
    noticing.tell(2 * TELL_NS - 1)
    assert told(ours) == []
    noticing.tell(2 * TELL_NS)
    assert told(ours) == [(SecurityKind.RATE, name, 1, "again")]


def test_a_mute_for_bad_signatures_is_told_when_it_begins_even_if_nothing_more_is_sent(stage: Any, ends: Any) -> None:
    ours, theirs = ends
    stage.opened()
    noticing = Noticing(theirs, stage.house)
    for _ in range(MAX_FORGERIES - 1):
        assert noticing.forged(1, stage.now_ns) == []
    assert [type(each) for each in noticing.forged(99, stage.now_ns)] == [Misgreeted]
    noticing.tell(TELL_NS)
    assert told(ours) == [], "and nothing of a session that is over"
    assert [type(each) for each in noticing.forged(1, stage.now_ns)] == [Mute]
    noticing.tell(TELL_NS)
    name = stage.house.presence.peers[1].name
    assert told(ours) == [(SecurityKind.MUTE, name, 1, "5 bad signatures: nothing is taken for 60 s")]


def test_a_supervisor_that_sleeps_holds_up_nothing_and_hears_all_of_it_later(stage: Any, ends: Any) -> None:
    ours, theirs = ends
    stage.opened()
    noticing = Noticing(theirs, stage.house)
    for second in range(1, 3_001):
        noticing.sent(1, refused("rate", "r" * 200).body, Clock())
        noticing.tell(second * TELL_NS)
    count = sum(each[2] for each in told(ours))
    assert count < 3_000, "the socket was full"
    noticing.tell(4_000 * TELL_NS)
    assert count + sum(each[2] for each in told(ours)) == 3_000


def test_another_allow_list_says_who_is_new_who_is_gone_and_who_lost_a_session(stage: Any, ends: Any) -> None:
    ours, theirs = ends
    stage.opened()
    noticing = Noticing(theirs, stage.house)
    names = {peer.name for peer in stage.house.presence.peers.values()}
    noticing.allow(AllowList([(1, Entry(key_of("zoe").identity, "zoe"))]), 1)
    noticing.tell(TELL_NS)
    (kind, _, _, words), *cut = told(ours)
    assert kind is SecurityKind.ALLOW_LIST
    assert "let in: zoe; shut out: " in words
    assert {(kind, who) for kind, who, *_ in cut} == {(SecurityKind.CUT, name) for name in names}


def test_a_stranger_a_wrong_role_a_list_and_a_dead_gateway_are_in_the_journal_that_events_shows(
    start_house: Any, bidder_of: Any, tmp_path: Path
) -> None:
    house = start_house(("ann", "ben"), [lot("vase")])
    bidder_of("ann", house).greet()
    for _ in range(3):
        with pytest.raises(NotAuthorisedError):
            bidder_of("mallory", house).greet()
    with pytest.raises(NotAuthorisedError):
        bidder_of("ben", house, "operator").greet()
    house.allow("ann", "carl")
    house.kill("gateway")
    home = tmp_path / "home"
    (home / "state").mkdir(parents=True)
    (home / "state" / "house-test").symlink_to(house.directory / "state")

    def events() -> list[dict[str, Any]]:
        command = [sys.executable, "-m", "auctionctl", "events", "--security", "--name", "test", "--json"]
        environment = {**os.environ, "AUCTIONCTL_HOME": str(home)}
        done = subprocess.run(command, capture_output=True, check=True, timeout=20, env=environment)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def is_told() -> list[dict[str, Any]]:
        found = events()
        kinds = {each["kind"] for each in found}
        return found if kinds >= {"refused_key", "refused_role", "allow_list", "restart"} else []

    found = until(is_told, "all that has happened")
    by_kind = {each["kind"]: each for each in found}
    assert by_kind["restart"]["who"] == "gateway"
    assert "SIGKILL" in by_kind["restart"]["words"]
    assert by_kind["refused_role"]["count"] >= 1
    assert "127.0.0.1" in by_kind["refused_key"]["words"]
    assert "let in: carl; shut out: ben" in by_kind["allow_list"]["words"]
    assert sum(each["count"] for each in found if each["who"] == key_of("mallory").identity.transport.hex()) >= 1
    house.signal(15)
    assert events()[: len(found)] == found, "it outlives the house"
