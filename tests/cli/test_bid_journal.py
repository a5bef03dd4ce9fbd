"""A bid is on disk before it is sent, and stays there until it is known what became of it; damage stops a bidder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.bid import Bid, command_id, decode_bid, encode_bid
from auctionctl.auction.price import Money
from auctionctl.bidding.notices import BidPlaced, BidRejected
from auctionctl.bidding.wallet import Wallet
from auctionctl.cli import bid_journal
from auctionctl.cli.bid_journal import BidJournal, earlier_words
from auctionctl.cli.paths import Paths, find_paths
from auctionctl.errors import ConfigurationError
from auctionctl.keys.signing import SecretKey
from auctionctl.wire.frames import Message, sign_body
from auctionctl.wire.messages import Rejection

ANN, HOUSE, OTHER = SecretKey(b"a" * 32), SecretKey(b"h" * 32), SecretKey(b"o" * 32)
LOT, LAMP = b"l" * 32, b"m" * 32


def placed(
    seq: int, minor: int = 1_000, *, auction: bytes = LOT, currency: str = "EUR", house: SecretKey = HOUSE
) -> BidPlaced:
    bid = Bid(house.identity.signing, auction, ANN.identity.signing, seq, minor, currency, 1_000, 2_000)
    message = sign_body(ANN, encode_bid(bid))
    return BidPlaced(auction, command_id(message.body), seq, minor, bid.not_after_ns, message)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"AUCTIONCTL_HOME": str(tmp_path)})


def open_journal(paths: Paths, house: SecretKey = HOUSE) -> BidJournal:
    return BidJournal(paths, ANN.identity, house.identity)


def wallet_with(*undecided: BidPlaced) -> Wallet:
    wallet = Wallet(Money(10_000, "EUR"))
    for bid in undecided:
        wallet.recall(bid.auction, bid.command, bid.seq, bid.amount_minor, bid.not_after_ns)
    return wallet


def everything(bid: Bid) -> bool:
    return True


def handed_in(journal: BidJournal) -> list[Message]:
    found = journal.hand_in(everything)
    assert not found.refused
    return found.unanswered


def files(paths: Paths) -> list[Path]:
    return sorted(paths.undecided_bids(ANN.identity.text, HOUSE.identity.text).iterdir())


def test_what_was_kept_is_handed_in_as_the_same_bytes_to_the_next_run(paths: Paths) -> None:
    journal = open_journal(paths)
    assert journal.hand_in(everything) == ([], [])
    bids = [placed(1), placed(2, 1_100), placed(1, auction=LAMP)]
    for bid in bids:
        journal.keep(bid)
    assert len(journal) == 3
    assert {path.stat().st_mode & 0o777 for path in files(paths)} == {0o600}
    assert {step.stat().st_mode & 0o777 for step in files(paths)[0].parents[:4]} == {0o700}
    again = handed_in(open_journal(paths))
    assert sorted(again) == sorted(bid.message for bid in bids)


def test_a_run_gets_what_concerns_it_and_the_rest_is_left_for_others(paths: Paths) -> None:
    journal = open_journal(paths)
    euro, yen, lamp = placed(1), placed(2, currency="JPY"), placed(1, auction=LAMP)
    for bid in (euro, yen, lamp):
        journal.keep(bid)
    journal = open_journal(paths)
    assert journal.hand_in(lambda bid: bid.currency == "JPY").unanswered == [yen.message]
    journal.forget_decided(wallet_with())
    left = handed_in(open_journal(paths))
    assert sorted(left) == sorted([euro.message, lamp.message])


def test_bids_for_one_house_are_not_handed_in_at_another(paths: Paths) -> None:
    at_home, away = open_journal(paths), open_journal(paths, OTHER)
    at_home.keep(placed(1))
    away.keep(placed(1, house=OTHER))
    for house in (HOUSE, OTHER):
        (message,) = handed_in(open_journal(paths, house))
        assert decode_bid(message.body).house == house.identity.signing


def test_what_is_decided_is_forgotten_and_what_is_not_stays(paths: Paths) -> None:
    journal = open_journal(paths)
    first, second, third = placed(1), placed(2), placed(3)
    journal.keep(first)
    journal.keep(second)
    journal.forget_decided(wallet_with(second))
    assert handed_in(open_journal(paths)) == [second.message]
    journal = open_journal(paths)
    journal.hand_in(everything)
    journal.keep(third)
    journal.forget_decided(wallet_with(third))
    assert handed_in(open_journal(paths)) == [third.message]
    assert len(files(paths)) == 1


def test_what_the_house_has_rejected_binds_and_is_not_pressed(paths: Paths) -> None:
    journal = open_journal(paths)
    bids = [placed(1), placed(2)]
    for bid in bids:
        journal.keep(bid)
    rejection = Rejection(HOUSE.identity.signing, LOT, bids[0].command, "below_increment", (), 5, 1_500)
    journal.refused(BidRejected(LOT, bids[0].command, 1, 1_000, "", rejection))
    again = open_journal(paths)
    assert again.hand_in(everything) == ([bids[1].message], [bids[0].message])
    again.refused(BidRejected(LOT, bids[0].command, 1, 1_000, "", rejection))
    again.forget_decided(wallet_with(bids[1]))
    assert open_journal(paths).hand_in(everything) == ([bids[1].message], [])
    journal.refused(BidRejected(LOT, bids[1].command, 2, 1_000, "", rejection))
    journal.forget_decided(wallet_with())
    assert files(paths) == []


def test_what_was_begun_and_not_finished_was_not_sent_and_is_removed(paths: Paths) -> None:
    journal = open_journal(paths)
    journal.keep(placed(1))
    (kept,) = files(paths)
    torn = kept.with_name(f".{kept.name}.0123456789ab.new")
    torn.write_bytes(kept.read_bytes()[:100])
    assert len(handed_in(open_journal(paths))) == 1
    assert files(paths) == [kept]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:-30],
        lambda data: data + b"more",
        lambda data: bytes(len(data)),
        lambda data: data.replace(b"/1", b"/2"),
        lambda data: flipped(data, 60),
        lambda data: flipped(data, len(data) - 40),
        lambda data: data * 40,
        lambda data: bytes([255]) + data,
    ],
)
def test_a_damaged_bid_stops_the_bidder_and_says_what_to_do(paths: Paths, damage: Any) -> None:
    journal = open_journal(paths)
    journal.keep(placed(1))
    (path,) = files(paths)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with pytest.raises(ConfigurationError) as told:
        open_journal(paths)
    assert str(path) in str(told.value)
    assert "budget could be exceeded" in told.value.hint
    assert path.read_bytes() == damaged


def test_a_bid_under_another_s_name_house_or_key_is_not_taken_for_one(paths: Paths) -> None:
    journal = open_journal(paths)
    journal.keep(placed(1))
    (path,) = files(paths)
    data = path.read_bytes()
    for other in (path.with_name("readme"), path.with_name(path.name.replace("-1-", "-2-"))):
        path.rename(other)
        with pytest.raises(ConfigurationError, match="is damaged"):
            open_journal(paths)
        other.rename(path)
    open_journal(paths, OTHER)
    away = paths.undecided_bids(ANN.identity.text, OTHER.identity.text) / path.name
    away.write_bytes(data)
    with pytest.raises(ConfigurationError, match="is damaged"):
        open_journal(paths, OTHER)
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(ConfigurationError, match="is damaged"):
        open_journal(paths)


@pytest.mark.parametrize("blocked", ["state", "state/bidders"])
def test_without_a_place_to_keep_bids_there_is_no_bidder(paths: Paths, tmp_path: Path, blocked: str) -> None:
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_bytes(b"a file where a directory should be")
    with pytest.raises(ConfigurationError, match="cannot create"):
        open_journal(paths)


def test_a_bid_that_cannot_be_kept_is_an_error_and_leaves_nothing(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(paths)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConfigurationError, match="no space left on device"):
        journal.keep(placed(1))
    assert len(journal) == 0
    assert files(paths) == []


def test_the_journal_is_bounded(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bid_journal, "MAX_BIDS", 2)
    journal = open_journal(paths)
    journal.keep(placed(1))
    journal.keep(placed(2))
    with pytest.raises(ConfigurationError, match="holds 2 bids"):
        journal.keep(placed(3))
    (files(paths)[0].parent / "third").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="more than 2 files"):
        open_journal(paths)


def test_people_are_told_how_many_bids_bind_them() -> None:
    assert earlier_words(1).startswith("1 bid of an earlier run may yet be accepted: it binds")
    assert earlier_words(3).startswith("3 bids of earlier runs may yet be accepted: they bind")
