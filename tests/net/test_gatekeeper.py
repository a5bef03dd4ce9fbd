"""A supervisor believes its gateway a little: it reports, bans and forgets, and a gateway that talks nonsense ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from house_process import key_of

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.security import SecurityKind, security_event
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import Entry, render
from auctionctl.net.bans import CHOSE_ROUTE, FIRST_BAN_S
from auctionctl.net.child_words import encode
from auctionctl.net.control import send_control
from auctionctl.net.gatekeeper import MAX_MUTED, MAX_WORD_BYTES, Gatekeeper
from auctionctl.net.gateway_orders import SetBans
from auctionctl.net.gateway_words import ChoseRoute, Cut, FromGateway, Heard, Knocked, Muting, NotWatched, Trying
from auctionctl.net.hops import Noticed
from auctionctl.net.journalling import Journalling
from auctionctl.net.mutes import LONGEST_MUTE_NS, KeptOut
from auctionctl.net.pipes import PipeClosedError
from auctionctl.net.reports import Banned, Muted, Unwatched
from auctionctl.net.security_journal import SecurityReader
from auctionctl.net.watchdog import Fault

MALLORY = key_of("mallory").identity
KEY = MALLORY.transport
LIST = render(Entry(MALLORY, "mallory")).encode()


class Kept:
    def __init__(self, state: Path, access: Access = Access.LISTED) -> None:
        self.reports: list[Any] = []
        self.reader = SecurityReader(state)
        self.gateway, self.control = socket.socketpair()
        self.keeper = Gatekeeper(Journalling(state, self.reports.append), access)
        self.keeper.allow(LIST)
        assert self.keeper.started(0.0) == SetBans([], [])

    def say(self, *words: FromGateway, now_s: float = 1.0) -> None:
        for word in words:
            send_control(self.gateway, encode(word))
        self.keeper.hear(self.control, now_s)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    found = Kept(tmp_path)
    yield found
    found.gateway.close()
    found.control.close()


def test_a_mute_is_reported_by_name_and_a_cut_alone_is_not(kept):
    kept.say(Cut(KEY, "192.0.2.1", Fault.ENDLESS.value, 0), Cut(b"", "192.0.2.1", Fault.SILENT.value, 0))
    assert kept.reports == []
    kept.say(Cut(KEY, "192.0.2.1", Fault.ENDLESS.value, 60_000_000_000))
    assert kept.reports == [Muted("mallory", "192.0.2.1", Fault.ENDLESS.value, 60)]


def test_a_mute_of_a_key_or_an_address_goes_on_at_the_next_gateway_and_at_no_time_longer(kept):
    address = b"address 192.0.2.1"
    kept.say(Muting(KEY, 60 * SECOND_NS), Muting(address, 1 << 62), now_s=1.0)
    assert kept.keeper.news(1.0) is None, "the gateway that said so knows"
    mutes = [
        KeptOut(KEY, 59 * SECOND_NS, 60 * SECOND_NS),
        KeptOut(address, LONGEST_MUTE_NS - SECOND_NS, LONGEST_MUTE_NS),
    ]
    assert kept.keeper.started(2.0) == SetBans([], [], mutes)
    assert kept.keeper.news(2.0) is None
    assert kept.keeper.started(61.0).muted == [KeptOut(address, LONGEST_MUTE_NS - 60 * SECOND_NS, LONGEST_MUTE_NS)]
    for number in range(MAX_MUTED):
        kept.say(Muting(b"%d" % number, 60 * SECOND_NS), now_s=61.0)
    told = kept.keeper.started(62.0).muted
    assert len(told) == MAX_MUTED
    assert address not in {mute.key for mute in told}, "what began first is forgotten first"


def test_a_ban_is_reported_told_and_ends(kept):
    assert kept.keeper.news(1.0) is None
    kept.say(Knocked(KEY), Trying(KEY), ChoseRoute(KEY))
    assert kept.reports == [Banned("mallory", CHOSE_ROUTE, FIRST_BAN_S)]
    assert kept.keeper.news(1.0) == SetBans([KEY], [])
    assert kept.keeper.news(1.0) is None, "it was told"
    assert kept.keeper.started(2.0) == SetBans([KEY], []), "it lasts over gateways"
    assert kept.keeper.warning(2.0) == f"mallory: {CHOSE_ROUTE}"
    end_s = kept.keeper.next_s(2.0)
    assert end_s == 1.0 + FIRST_BAN_S
    assert kept.keeper.news(end_s) == SetBans([], [])
    assert kept.keeper.warning(end_s) == ""


def test_a_ban_ends_when_the_key_is_off_the_list(kept):
    kept.say(ChoseRoute(KEY))
    kept.keeper.allow(b"")
    assert kept.keeper.started(2.0) == SetBans([], [])


def test_a_list_that_no_house_takes_changes_nothing(kept):
    for text in (b"nonsense", b"\xff"):
        kept.keeper.allow(text)
    kept.say(ChoseRoute(KEY))
    assert kept.reports[0].name == "mallory"


@pytest.mark.parametrize(("how", "suspects"), [("SIGABRT", [KEY]), ("status 1", [KEY]), ("SIGKILL", [])])
def test_only_a_gateway_that_died_of_itself_makes_suspects(kept, how, suspects):
    kept.say(Knocked(KEY))
    kept.keeper.died(how, 1.0)
    assert kept.keeper.started(2.0) == SetBans([], suspects)
    kept.say(Knocked(KEY), Trying(KEY), Heard(KEY))
    assert kept.keeper.started(3.0) == SetBans([], [])


def test_two_deaths_by_the_same_key_or_silence_after_one_ban_it(kept, tmp_path):
    for now_s in (1.0, 2.0):
        kept.say(Knocked(KEY), Trying(KEY))
        kept.keeper.died("SIGABRT", now_s)
    assert len(kept.reports) == 1
    other = Kept(tmp_path)
    other.say(Knocked(KEY))
    other.keeper.died("SIGSEGV", 1.0)
    other.say(Knocked(KEY), Cut(KEY, "192.0.2.1", Fault.SILENT.value, 0))
    assert len(other.reports) == 1
    other.gateway.close()
    other.control.close()


def test_that_nothing_is_watched_is_said_once(kept):
    kept.say(NotWatched(), NotWatched())
    kept.say(NotWatched())
    assert kept.reports == [Unwatched()]


@pytest.mark.parametrize("said", [b"\0\0\0\1x", (MAX_WORD_BYTES + 1).to_bytes(4) + b"x", b""])
def test_a_gateway_that_talks_nonsense_or_not_at_all_any_more_ends(kept, said):
    if said:
        kept.gateway.sendall(said)
    else:
        kept.gateway.close()
    with pytest.raises(PipeClosedError):
        kept.keeper.hear(kept.control, 1.0)


def test_half_a_word_is_waited_for_and_a_dead_gateways_half_is_forgotten(kept):
    data = encode(NotWatched())
    whole = len(data).to_bytes(4) + data
    kept.gateway.sendall(whole[:6])
    kept.keeper.hear(kept.control, 1.0)
    kept.keeper.hear(kept.control, 1.0)  # Nothing new.
    assert kept.reports == []
    kept.gateway.sendall(whole[6:] + whole[:3])
    kept.keeper.hear(kept.control, 1.0)
    assert kept.reports == [Unwatched()]
    kept.keeper.started(2.0)
    kept.say(ChoseRoute(KEY))
    assert len(kept.reports) == 2


def test_a_cut_and_what_a_gateway_refuses_is_in_the_journal_by_name_and_nothing_else_that_it_claims(kept):
    kept.say(Cut(KEY, "192.0.2.1", Fault.ENDLESS.value, 0))
    claims = [(SecurityKind.REFUSED_KEY, "no"), (SecurityKind.RATE, "too many"), (SecurityKind.RESTART, "a lie")]
    for kind, words in claims:
        kept.say(Noticed([security_event(kind, KEY.hex(), words, 5)]))
    found = {(event.kind, event.who, event.words) for event in kept.reader.read()}
    assert found == {
        (SecurityKind.CUT, "mallory", f"{Fault.ENDLESS.value}, from 192.0.2.1"),
        (SecurityKind.REFUSED_KEY, "mallory", "no"),
        (SecurityKind.RATE, "mallory", "too many"),
    }


def test_in_an_open_house_a_stranger_is_banned_too_whatever_becomes_of_the_list(tmp_path):
    kept = Kept(tmp_path, Access.OPEN)
    stranger = b"s" * 32
    kept.say(ChoseRoute(stranger), ChoseRoute(KEY))
    assert [report.name for report in kept.reports] == [f"(a stranger, transport key {stranger.hex()[:16]})", "mallory"]
    kept.keeper.allow(b"")
    assert kept.keeper.started(2.0).banned == [stranger, KEY], "to be a stranger is no way out"
    kept.gateway.close()
    kept.control.close()


def test_what_one_gateway_says_of_a_key_is_told_to_all_the_others_once(kept):
    for gateway in ("gateway 1", "gateway 2"):
        assert kept.keeper.started(0.0, gateway) == SetBans([], [])
    kept.say(Muting(KEY, 60 * SECOND_NS), now_s=1.0)
    told = SetBans([], [], [KeptOut(KEY, 59 * SECOND_NS, 60 * SECOND_NS)])
    assert kept.keeper.news(1.0) is None, "the gateway that said so knows"
    for gateway in ("gateway 1", "gateway 2"):
        assert kept.keeper.news(2.0, gateway) == told
        assert kept.keeper.news(2.0, gateway) is None
    kept.say(ChoseRoute(KEY), now_s=3.0)
    assert [kept.keeper.news(3.0, each) for each in ("gateway", "gateway 2")] == [SetBans([KEY], [])] * 2
    assert kept.keeper.started(3.0, "gateway 1").banned == [KEY]


def test_a_key_is_suspected_of_the_death_of_the_gateway_at_which_it_was(kept):
    kept.keeper.started(0.0, "gateway 1")
    kept.say(Knocked(KEY))
    kept.keeper.died("SIGABRT", 2.0, "gateway 1")
    assert kept.keeper.started(2.0, "gateway 1").suspects == []
    kept.keeper.died("SIGABRT", 2.0)
    assert kept.keeper.started(2.0).suspects == [KEY]
    assert kept.keeper.news(2.0, "gateway 1") == SetBans([], [KEY])


def test_half_a_word_of_one_gateway_is_not_made_whole_by_another(kept):
    kept.keeper.started(0.0, "gateway 1")
    second, control = socket.socketpair()
    with second, control:
        second.sendall(b"\0\0")
        kept.keeper.hear(control, 1.0, "gateway 1")
        kept.say(Cut(KEY, "192.0.2.1", Fault.ENDLESS.value, 60_000_000_000))
    assert len(kept.reports) == 1
