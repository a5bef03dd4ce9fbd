"""What a bidder has tied up is on disk, with its journal never less than may have to be paid."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.bid import Bid, encode_bid
from auctionctl.auction.command_id import command_id
from auctionctl.auction.phase import Stage
from auctionctl.auction.price import Money
from auctionctl.bidding.notices import BidPlaced, Outcome, Result
from auctionctl.bidding.wallet import Wallet
from auctionctl.client.account_file import AccountFile, AccountKeeper, read_accounts, runner_of
from auctionctl.client.bid_journal import BidJournal
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import ConfigurationError
from auctionctl.keys.signing import SecretKey
from auctionctl.store.state_directory import locked
from auctionctl.wire.frames import sign_body

ME, HOUSE = SecretKey(bytes([1]) * 32), SecretKey(bytes([2]) * 32)
VASE, LAMP = bytes([3]) * 32, bytes([4]) * 32


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"AUCTIONCTL_HOME": str(tmp_path)})


def placed(auction: bytes, amount_minor: int) -> BidPlaced:
    bid = Bid(HOUSE.identity.signing, auction, ME.identity.signing, 1, amount_minor, "EUR", 1, 10)
    message = sign_body(ME, encode_bid(bid))
    return BidPlaced(auction, command_id(message.body), 1, amount_minor, 10, message)


def keeper(paths: Paths, wallet: Wallet, outcomes: dict[bytes, Outcome]) -> AccountKeeper:
    BidJournal(paths, ME.identity, HOUSE.identity)  # which makes the directory
    return AccountKeeper(AccountFile(paths, ME.identity, HOUSE.identity), wallet, outcomes, lambda auction: "vase")


def test_what_leads_what_was_won_and_what_was_paid_are_told_apart(paths: Paths) -> None:
    wallet = Wallet(Money(1_000, "EUR"))
    wallet.cap(LAMP, 400)
    wallet.recall(VASE, b"v", 1, 300, 9)
    wallet.accepted(VASE, 1, 300)
    wallet.ended(VASE, 300)
    wallet.recall(LAMP, b"l", 1, 200, 9)
    outcomes = {VASE: Outcome(Result.WON, "completed", 300, (), Stage.PAID)}
    assert read_accounts(paths, ME.identity) == []
    assert keeper(paths, wallet, outcomes).keep()
    (account,) = read_accounts(paths, ME.identity)
    assert (account.budget_minor, account.committed_minor, account.house) == (1_000, 500, HOUSE.identity.text)
    vase, lamp = account.holdings
    assert (vase.won_minor, vase.is_paid, vase.result, vase.listing) == (300, True, "won", "vase")
    assert (lamp.unanswered_minor, lamp.is_paid, lamp.result, lamp.cap_minor) == (200, False, None, 400)


def test_a_bid_of_which_the_account_does_not_know_yet_is_in_the_journal(paths: Paths) -> None:
    wallet = Wallet(Money(1_000, "EUR"))
    account = keeper(paths, wallet, {})
    account.keep()
    journal = BidJournal(paths, ME.identity, HOUSE.identity)
    journal.keep(placed(VASE, 700))
    journal.sync()
    (found,) = read_accounts(paths, ME.identity)
    assert [(each.auction, each.unanswered_minor) for each in found.holdings] == [(VASE.hex(), 700)]
    assert found.committed_minor == 700


def test_nothing_is_written_that_has_not_changed_and_not_too_often(paths: Paths, monkeypatch: Any) -> None:
    now_s = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    wallet = Wallet(Money(1_000, "EUR"))
    account = keeper(paths, wallet, {})
    path = AccountFile(paths, ME.identity, HOUSE.identity).path
    assert account.keep_some()
    first = path.stat().st_ino
    wallet.recall(VASE, b"v", 1, 300, 9)
    assert not account.keep_some(), "it is not time: what is decided stays in the journal"
    assert path.stat().st_ino == first
    now_s[0] += 1
    assert account.keep_some()
    second = path.stat().st_ino
    assert second != first
    now_s[0] += 1
    assert account.keep_some()
    assert path.stat().st_ino == second


def test_a_damaged_account_is_named_with_what_to_do(paths: Paths) -> None:
    keeper(paths, Wallet(Money(1, "EUR")), {}).keep()
    AccountFile(paths, ME.identity, HOUSE.identity).path.write_bytes(b'{"bidder": 5}')
    with pytest.raises(ConfigurationError, match="is damaged") as caught:
        read_accounts(paths, ME.identity)
    assert "remove it" in caught.value.hint


def test_who_bids_under_a_key_is_known_while_it_does(paths: Paths) -> None:
    assert runner_of(paths, ME.identity) is None
    BidJournal(paths, ME.identity, HOUSE.identity)
    with locked(paths.bidder_state(ME.identity.text)):
        assert runner_of(paths, ME.identity) == os.getpid()
    assert runner_of(paths, ME.identity) is None
    (paths.bidder_state(ME.identity.text) / "lock").write_text("4194305\n")
    assert runner_of(paths, ME.identity) is None, "it was killed"
