"""A bidder that signs two bids under one number has proved it against itself: both are kept, within bounds."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon_run import ANN
from house_process import HOUSE_KEY, key_of, until

from auctionctl.auction.bid import Bid, Join, encode_bid, encode_join
from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.effects import Conflict
from auctionctl.keys.allowlist import Entry
from auctionctl.keys.signing import SecretKey
from auctionctl.net.chunks import RequestTuple
from auctionctl.net.clock import Clock
from auctionctl.net.keeping import Keeping
from auctionctl.replica.proven import judge
from auctionctl.store.conflict_files import DIRECTORY, MAX_CASES_A_BIDDER
from auctionctl.wire.frames import sign_body
from auctionctl.wire.session import ClientGreeting

BEN = key_of("ben")


def conflicts(effects: list[Any]) -> list[Conflict]:
    return [effect for effect in effects if isinstance(effect, Conflict)]


def cases(directory: Path) -> list[Path]:
    return sorted((directory / DIRECTORY).glob("*Z-sequence_conflict-*"))


def read(case: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in case.iterdir()}


@pytest.fixture
def control() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield theirs


@pytest.fixture
def bidding(stage: Any) -> tuple[Any, bytes]:
    auction = stage.opened()
    stage.handle(stage.bid(1, auction, 1_000, seq=5), stage.bid(2, auction, 2_000, seq=6))
    return stage, auction


def test_both_bids_of_a_conflict_are_kept_and_prove_it(
    bidding: tuple[Any, bytes], control: socket.socket, tmp_path: Path
) -> None:
    stage, auction = bidding
    size = len(stage.data(auction))
    (conflict,) = conflicts(stage.handle(stage.bid(1, auction, 9_000, seq=5)))
    assert len(stage.data(auction)) == size
    Keeping(control, tmp_path, stage.store).keep(conflict)
    (case,) = cases(tmp_path)
    assert sorted(read(case)) == ["accepted.bid", "refused.bid"]
    finding = judge(read(case))
    assert (finding.against, finding.is_proven) == ("bidder", True), finding.words
    assert finding.key == stage.house.presence.peers[1].identity.signing.hex()
    assert case.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in case.iterdir()} == {0o600}


def test_a_conflict_within_one_batch_is_told_after_the_commit(bidding: tuple[Any, bytes], staging: Any) -> None:
    stage, auction = bidding
    effects = stage.handle(stage.bid(1, auction, 3_000, seq=9), stage.bid(1, auction, 3_100, seq=9))
    names = [type(effect).__name__ for effect in effects]
    assert staging.codes(effects, 1) == ["sequence_conflict"]
    assert names.index("Commit") < names.index("Conflict")


def test_a_batch_that_was_not_written_proves_nothing(bidding: tuple[Any, bytes]) -> None:
    stage, auction = bidding
    stage.is_full = True
    assert conflicts(stage.handle(stage.bid(1, auction, 3_000, seq=9), stage.bid(1, auction, 3_100, seq=9))) == []


def test_a_bid_sent_again_is_no_conflict(bidding: tuple[Any, bytes]) -> None:
    stage, auction = bidding
    bid = stage.bid(1, auction, 3_000, seq=9)
    assert conflicts(stage.handle(bid, bid)) == conflicts(stage.handle(bid)) == []


def test_no_bidder_fills_the_disk_and_a_restart_does_not_begin_anew(
    bidding: tuple[Any, bytes], control: socket.socket, tmp_path: Path
) -> None:
    stage, auction = bidding
    for start in range(0, 30, 10):
        keeping = Keeping(control, tmp_path, stage.store)
        for amount_minor in range(3_000 + start, 3_010 + start):
            for effect in conflicts(stage.handle(stage.bid(1, auction, amount_minor, seq=5))) * 2:
                keeping.keep(effect)
    assert len(cases(tmp_path)) == MAX_CASES_A_BIDDER
    (other,) = conflicts(stage.handle(stage.bid(2, auction, 9_999, seq=6)))
    Keeping(control, tmp_path, stage.store).keep(other)
    assert len(cases(tmp_path)) == MAX_CASES_A_BIDDER + 1


def test_a_disk_that_takes_nothing_does_not_hold_up_the_house(
    bidding: tuple[Any, bytes], control: socket.socket, tmp_path: Path
) -> None:
    stage, auction = bidding
    (tmp_path / DIRECTORY).write_text("in the way")
    (conflict,) = conflicts(stage.handle(stage.bid(1, auction, 9_000, seq=5)))
    Keeping(control, tmp_path, stage.store).keep(conflict)
    assert (tmp_path / DIRECTORY).read_text() == "in the way"


def test_the_process_of_a_house_keeps_both_bids_in_its_state(prepare: Any, tmp_path: Path) -> None:
    run = prepare()
    run.allow(Entry(ANN.identity, "ann"), Entry(BEN.identity, "ben"))
    run.begin()
    now_ns = Clock().now_ns()
    house, times = HOUSE_KEY.identity, (now_ns, now_ns + 20 * SECOND_NS)

    def say(session: int, key: SecretKey, body: bytes) -> RequestTuple:
        return (session, key.identity.signing, *sign_body(key, body), b"")

    def say_bid(minor: int) -> RequestTuple:
        return say(
            7, ANN, encode_bid(Bid(house.signing, run.auction, ANN.identity.signing, 5, minor, "credits", *times))
        )

    for session, key in ((7, ANN), (8, BEN)):
        hello = ClientGreeting(key, house, "bidder").hello(bytes(16), now_ns)
        join = Join(house.signing, run.auction, key.identity.signing, bytes(16), *times)
        greeting = (session, key.identity.signing, *hello, key.identity.transport)
        run.send(greeting, say(session, key, encode_join(join)))
    run.send(say_bid(10))
    run.send(say_bid(11))
    until(lambda: cases(tmp_path / "state"), "a case of evidence", run.take)
    (case,) = cases(tmp_path / "state")
    assert judge(read(case)).is_proven
