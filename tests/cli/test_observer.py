from __future__ import annotations

import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from auctionctl.cli import observer as module
from auctionctl.cli.completion.catalogue_cache import catalogue_path, recall
from auctionctl.cli.observer import (
    ConnectionNotes,
    Keep,
    Observer,
    everything,
    keep_for_completion,
    keep_nothing,
    local_names,
    names_of,
)
from auctionctl.cli.seen_logs import Forgetful
from auctionctl.client.choosing import choose_auctions
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import NotFoundError, UnreachableError
from auctionctl.keys.keyfile import key_path, read_key
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.audit import audit, audit_registry
from auctionctl.replica.replica import Replica
from auctionctl.wire.address import parse_address

from .conftest import HouseStarter, finish, start_program


def observe(fair: Any, select: Any, keep: Keep = keep_nothing) -> Observer:
    key = read_key(key_path(fair.home / "config/keys", "alice"))
    return Observer(parse_address(fair.address), key, select, keep, Forgetful())


def test_verified_entries_are_handed_on_in_order_each_once(fair: Any) -> None:
    handed: dict[bytes, list[int]] = {}
    observer = observe(fair, everything)

    def on_entries(replica: Replica, applied: list[Any]) -> None:
        assert replica.head is not None
        assert replica.head.size > applied[-1].entry_index
        handed.setdefault(replica.replay.auction_id, []).extend(each.entry_index for each in applied)

    try:
        observer.run(observer.is_current, on_entries)
    finally:
        observer.close()
    assert len(handed) == 2
    for replica in observer.replicas():
        assert handed[replica.replay.auction_id] == list(range(replica.size))
        data = observer.export(replica.replay.auction_id)
        assert audit(data, observer.follower.house).checkpoint.size == replica.size
    assert [row.title for row in observer.rows({})] == ["Quick [31mlot", "Waiting lot"]
    assert abs(observer.follower.house_ahead_ns) < 5_000_000_000
    assert not observer.has_ended()


def test_only_what_was_chosen_is_followed(fair: Any) -> None:
    observer = observe(fair, lambda catalogue: choose_auctions(catalogue, ["quick"]))
    try:
        observer.read()
    finally:
        observer.close()
    (replica,) = observer.replicas()
    assert replica.replay.state.terms.listing == "quick"
    assert observer.has_ended()


def test_what_the_house_holds_is_kept_for_completion_with_the_phases_that_are_known(fair: Any, home: Path) -> None:
    paths = find_paths()
    for select, phases in ((lambda _: set(), ["", ""]), (everything, ["closed", "announced"])):
        observer = observe(fair, select, keep_for_completion)
        try:
            observer.run(lambda seen=observer: seen.is_listed and seen.is_current())
            assert [each.listing for each in recall(_catalogue(paths, observer))] == ["quick", "waiting-lot"]
        finally:
            observer.close()
        kept = recall(_catalogue(paths, observer))
        assert [each.phase for each in kept] == phases
        assert [each.title for each in kept] == ["Quick [31mlot", "Waiting lot"]
        assert [each.id for each in kept] == [auction.hex() for auction in observer.follower.catalogue]


def _catalogue(paths: Paths, observer: Observer) -> Path:
    return catalogue_path(paths.state, observer.follower.house.text)


def test_a_session_that_leaves_nothing_leaves_nothing(fair: Any, home: Path) -> None:
    observer = observe(fair, everything)
    observer.run(lambda: observer.is_listed)
    observer.close()
    assert not home.exists()


def test_what_there_is_not_ends_the_session(fair: Any) -> None:
    observer = observe(fair, lambda catalogue: choose_auctions(catalogue, ["nothing"]))
    try:
        with pytest.raises(NotFoundError):
            observer.read()
    finally:
        observer.close()


def test_a_house_that_falls_silent_is_unreachable(fair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_S", -1.0)
    observer = observe(fair, everything)
    try:
        with pytest.raises(UnreachableError, match="has said nothing"):
            observer.read()
    finally:
        observer.close()


def test_losses_of_the_connection_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    follower: Any = SimpleNamespace(is_welcome=False)
    notes = ConnectionNotes(follower)
    told = []
    for is_welcome in (False, True, True, False, False, True, True):
        follower.is_welcome = is_welcome
        notes.tick()
        told.append(capsys.readouterr().err)
    assert told == [
        "",
        "",
        "",
        "the house does not answer; trying again until it does\n",
        "",
        "the house is back\n",
        "",
    ]


def test_names_come_from_this_machine_s_list_and_ours_is_you(tmp_path: Path) -> None:
    paths = find_paths({"AUCTIONCTL_HOME": str(tmp_path)})
    mine, other = SecretKey(bytes(32)), SecretKey(bytes([1]) * 32).identity
    assert local_names(paths, mine) == {mine.identity.signing: "you"}
    paths.config.mkdir()
    paths.allow_list.write_text(f"{mine.identity.text} me\n{other.text} bob\n")
    assert local_names(paths, mine) == {mine.identity.signing: "you", other.signing: "bob"}
    paths.allow_list.write_text("nonsense\n")
    assert local_names(paths, mine) == {mine.identity.signing: "you"}


def test_where_this_machine_has_no_name_the_house_s_own_holds(fair: Any) -> None:
    observer = observe(fair, lambda _: set())
    nobody = find_paths({"AUCTIONCTL_HOME": str(fair.home / "nobody")})
    alice, bob = (read_key(key_path(fair.home / "config/keys", name)) for name in ("alice", "bob"))
    names = names_of(nobody, alice, observer.registry)
    assert names.get(bob.identity.signing) is None, "nothing has been heard of it yet"
    try:
        observer.read()
        observer.settle()
    finally:
        observer.close()
    assert (names[bob.identity.signing], names[alice.identity.signing]) == ("bob", "you")
    found = audit_registry(observer.export_registry(), observer.follower.house)
    assert found.registry.members == observer.registry.members
    assert len(found.registry.auctions) == 2


ARCHIVED_TOML = """
[house]
port = {port}
verifiers = 1
retention = "100ms"
[[auction]]
item = "Vase"
listing = "vase"
starting_price = "1EUR"
min_bidders = 2
start_timeout = "8s"
"""


def test_whoever_was_away_while_an_auction_was_archived_is_told_so(tmp_path: Path) -> None:
    houses = HouseStarter(tmp_path / "home")
    try:
        house = houses(ARCHIVED_TOML, "--json")
        wait_for(house, b'"serving"')
        bid = ("bid", "vase", "--strategy", "smart", "--budget", "9EUR", "--key", "alice")
        commands = [("events", "vase", "--follow"), ("watch", "vase"), ("watch",), bid]
        away = [start_program(houses.home, *words, *(() if words == bid else ("--key", "bob"))) for words in commands]
        for process, words in zip(away, (b'"terms"', b"terms", b"terms", b"joined"), strict=True):
            wait_for(process, words)
            process.send_signal(signal.SIGSTOP)
        house.terminate()
        house.communicate(timeout=30)
        wait_for(houses(ARCHIVED_TOML, "--json", prepared=True), b'"archived"')
        for process in away:
            process.send_signal(signal.SIGCONT)
        followed, watched, everything_watched, bidder = map(finish, away)
    finally:
        houses.end()
    for done in (followed, watched):
        assert done.status == 3, done.err
        assert "auctionctl: the house has archived the auction vase (" in done.err
        assert "hint: ask its operator for the file" in done.err
    assert everything_watched.status == 0, everything_watched.err
    assert bidder.status == 6, bidder.err
    assert "\tunknown\t" in bidder.out
    assert "the house has archived vase" in bidder.err


def wait_for(process: Any, words: bytes) -> None:
    while words not in (line := process.stdout.readline()):
        assert line, process.stderr.read()


def test_a_loss_and_a_return_of_the_house_are_told_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    class Seen:
        is_welcome = False

    seen = Seen()
    notes = ConnectionNotes(seen)  # type: ignore[arg-type]
    for is_welcome in (False, False, True, True, False, False, False, True, True):
        seen.is_welcome = is_welcome
        notes.tick()
    assert capsys.readouterr().err.splitlines() == [
        "the house does not answer; trying again until it does",
        "the house is back",
    ]
