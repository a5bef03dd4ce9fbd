"""A bid is on disk before it is sent, and stays there until it is known what became of it; damage stops a bidder."""

from __future__ import annotations

import os
from binascii import b2a_base64
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.bid import MAX_SEQ, MAX_TIME_NS, Bid, decode_bid, encode_bid
from auctionctl.auction.command_id import command_id
from auctionctl.auction.price import MAX_MINOR, Money
from auctionctl.bidding.notices import BidPlaced, BidRejected
from auctionctl.bidding.wallet import Wallet
from auctionctl.client import bid_journal
from auctionctl.client.bid_journal import MAX_BIDS, MAX_FILE_BYTES, BidJournal, earlier_words
from auctionctl.client.paths import Paths, find_paths
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


def keep(journal: BidJournal, *bids: BidPlaced) -> None:
    for bid in bids:
        journal.keep(bid)
    journal.sync()


def file_of(paths: Paths, house: SecretKey = HOUSE) -> Path:
    return paths.undecided_bids(ANN.identity.text, house.identity.text)


def test_what_was_kept_is_handed_in_as_the_same_bytes_to_the_next_run(paths: Paths) -> None:
    journal = open_journal(paths)
    assert journal.hand_in(everything) == ([], [])
    bids = [placed(1), placed(2, 1_100), placed(1, auction=LAMP)]
    keep(journal, *bids)
    assert len(journal) == 3
    assert file_of(paths).stat().st_mode & 0o777 == 0o600
    assert {step.stat().st_mode & 0o777 for step in file_of(paths).parents[:3]} == {0o700}
    assert handed_in(open_journal(paths)) == [bid.message for bid in bids]


def test_bids_that_leave_together_are_made_durable_together(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = open_journal(paths)
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(descriptor), fsync(descriptor))[1])
    for seq in range(1, 30):
        journal.keep(placed(seq))
    assert not file_of(paths).exists()
    journal.sync()
    journal.sync()
    assert len(synced) == 2, "the file and its name"
    assert len(open_journal(paths)) == 29


def test_a_run_gets_what_concerns_it_and_the_rest_is_left_for_others(paths: Paths) -> None:
    euro, yen, lamp = placed(1), placed(2, currency="JPY"), placed(1, auction=LAMP)
    keep(open_journal(paths), euro, yen, lamp)
    journal = open_journal(paths)
    assert journal.hand_in(lambda bid: bid.currency == "JPY").unanswered == [yen.message]
    journal.forget_decided(wallet_with())
    assert handed_in(open_journal(paths)) == [euro.message, lamp.message]


def test_bids_for_one_house_are_not_handed_in_at_another(paths: Paths) -> None:
    keep(open_journal(paths), placed(1))
    keep(open_journal(paths, OTHER), placed(1, house=OTHER))
    for house in (HOUSE, OTHER):
        (message,) = handed_in(open_journal(paths, house))
        assert decode_bid(message.body).house == house.identity.signing


def test_what_is_decided_is_forgotten_and_what_is_not_stays(paths: Paths) -> None:
    journal = open_journal(paths)
    first, second, third = placed(1), placed(2), placed(3)
    keep(journal, first, second)
    journal.forget_decided(wallet_with(second))
    assert handed_in(open_journal(paths)) == [second.message]
    journal = open_journal(paths)
    journal.hand_in(everything)
    keep(journal, third)
    journal.forget_decided(wallet_with(third))
    assert handed_in(open_journal(paths)) == [third.message]


def test_what_the_house_has_rejected_binds_and_is_not_pressed(paths: Paths) -> None:
    journal = open_journal(paths)
    bids = [placed(1), placed(2)]
    keep(journal, *bids)
    rejections = [
        BidRejected(
            LOT, bid.command, bid.seq, 1_000, "", Rejection(b"h" * 32, LOT, bid.command, "closed", (), 5, 1_500)
        )
        for bid in bids
    ]
    journal.refused(rejections[0])
    journal.forget_decided(wallet_with(*bids))
    again = open_journal(paths)
    assert again.hand_in(everything) == ([bids[1].message], [bids[0].message])
    again.refused(rejections[0])
    again.forget_decided(wallet_with(bids[1]))
    assert open_journal(paths).hand_in(everything) == ([bids[1].message], [])
    again.refused(rejections[1])
    again.forget_decided(wallet_with())
    assert len(open_journal(paths)) == 0


def test_a_crash_at_any_instant_leaves_what_was_there_before_or_all_that_is_there_now(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def crash(*arguments: object, **named: object) -> None:
        raise Crash

    before, after = placed(1), placed(2)
    for name in ("fsync", "replace"):
        keep(open_journal(paths), before)
        journal = open_journal(paths)
        journal.keep(after)
        with monkeypatch.context() as patch:
            patch.setattr(os if name == "fsync" else Path, name, crash)
            with pytest.raises(Crash):
                journal.sync()
        assert handed_in(open_journal(paths)) == [before.message], "the second was not sent"


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
        lambda data: data.replace(b"end 2", b"end 1"),
        lambda data: b"\n".join([*data.split(b"\n")[:2], b"end 2", b""]),
        lambda data: data.replace(b"sent ", b"said ", 1),
        lambda data: flipped(data, 60),
        lambda data: flipped(data, len(data) - 40),
        lambda data: data + b" " * (1 << 22),
        lambda data: bytes([255]) + data,
    ],
)
def test_a_damaged_journal_stops_the_bidder_and_says_what_to_do(paths: Paths, damage: Any) -> None:
    keep(open_journal(paths), placed(1), placed(2))
    damaged = damage(file_of(paths).read_bytes())
    file_of(paths).write_bytes(damaged)
    with pytest.raises(ConfigurationError) as told:
        open_journal(paths)
    assert str(file_of(paths)) in str(told.value)
    assert "budget could be exceeded" in told.value.hint
    assert file_of(paths).read_bytes() == damaged


def test_bids_at_another_house_or_under_another_key_are_not_taken_for_ours(paths: Paths) -> None:
    keep(open_journal(paths), placed(1))
    open_journal(paths, OTHER)
    file_of(paths, OTHER).write_bytes(file_of(paths).read_bytes())
    with pytest.raises(ConfigurationError, match="is damaged"):
        open_journal(paths, OTHER)
    other = paths.undecided_bids(OTHER.identity.text, HOUSE.identity.text)
    other.parent.mkdir(parents=True)
    other.write_bytes(file_of(paths).read_bytes())
    with pytest.raises(ConfigurationError, match="is damaged"):
        BidJournal(paths, OTHER.identity, HOUSE.identity)


@pytest.mark.parametrize("blocked", ["state", "state/bidders"])
def test_without_a_place_to_keep_bids_there_is_no_bidder(paths: Paths, tmp_path: Path, blocked: str) -> None:
    (tmp_path / blocked).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / blocked).write_bytes(b"a file where a directory should be")
    with pytest.raises(ConfigurationError, match="cannot create"):
        open_journal(paths)


def test_bids_that_cannot_be_kept_are_an_error_each_time_they_were_to_be_sent(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(paths)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    journal.keep(placed(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="no space left on device"):
                journal.sync()
    assert not file_of(paths).exists()
    journal.sync()
    assert len(open_journal(paths)) == 1


def test_the_journal_is_bounded(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bid_journal, "MAX_BIDS", 2)
    journal = open_journal(paths)
    keep(journal, placed(1), placed(2))
    with pytest.raises(ConfigurationError, match="holds 2 bids"):
        journal.keep(placed(3))


def test_as_many_bids_as_there_may_be_can_be_read_again(paths: Paths) -> None:
    widest = Bid(
        HOUSE.identity.signing,
        LOT,
        ANN.identity.signing,
        MAX_SEQ,
        MAX_MINOR,
        "C" * 16,
        MAX_TIME_NS,
        MAX_TIME_NS,
        MAX_SEQ,
        bytes(32),
    )
    message = sign_body(ANN, encode_bid(widest))
    assert (len(b2a_base64(message.body)) + 120) * MAX_BIDS < MAX_FILE_BYTES


def test_people_are_told_how_many_bids_bind_them() -> None:
    assert earlier_words(1).startswith("1 bid of an earlier run may yet be accepted: it binds")
    assert earlier_words(3).startswith("3 bids of earlier runs may yet be accepted: they bind")
