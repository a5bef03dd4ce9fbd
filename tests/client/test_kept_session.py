"""A bid is told of, and sent, after it is on disk; those of one round are made durable together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.bid import Bid, encode_bid
from auctionctl.auction.command_id import command_id
from auctionctl.bidding.notices import BidPlaced, Outbid
from auctionctl.client.bid_journal import BidJournal
from auctionctl.client.kept_session import KeptSession, alone
from auctionctl.client.paths import find_paths
from auctionctl.client.seen_logs import FollowedLogs, Forgetful
from auctionctl.errors import StoreLockedError
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.follower import Follower
from auctionctl.wire.frames import sign_body

ME, HOUSE = SecretKey(bytes([1]) * 32), SecretKey(bytes([2]) * 32)


def placed(number: int) -> BidPlaced:
    auction = bytes([number]) * 32
    bid = Bid(HOUSE.identity.signing, auction, ME.identity.signing, 1, 100, "EUR", 1, 10)
    message = sign_body(ME, encode_bid(bid))
    return BidPlaced(auction, command_id(message.body), 1, 100, 10, message)


def test_the_bids_of_one_round_are_durable_at_once_and_told_of_after_that(tmp_path: Path, monkeypatch: Any) -> None:
    paths, told, written = find_paths({"AUCTIONCTL_HOME": str(tmp_path)}), [], []
    journal = BidJournal(paths, ME.identity, HOUSE.identity)
    follower = Follower(ME, HOUSE.identity, "bidder")
    session = KeptSession(journal, FollowedLogs(Forgetful(), paths, follower), told.append)
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, target: (written.append(target), replace(self, target))[1])
    bids = [placed(number) for number in range(20)]
    for bid in bids:
        session.take(bid)
    outbid = Outbid(bids[0].auction, 200, bytes(32))
    session.take(outbid)
    assert told == [outbid], "of a bid nobody is told before it is on disk"
    assert written == []
    session.before_send()
    assert len(written) == 1
    assert told[1:] == bids
    session.before_send()
    assert (len(written), len(told)) == (1, 21), "there is nothing new"
    assert len(BidJournal(paths, ME.identity, HOUSE.identity)) == 20


def test_one_bidder_at_a_time_holds_the_place_of_a_key(tmp_path: Path) -> None:
    paths = find_paths({"AUCTIONCTL_HOME": str(tmp_path)})
    with alone(paths, ME):
        with pytest.raises(StoreLockedError, match=f"in use by process {os.getpid()}"), alone(paths, ME):
            pass
        with alone(paths, HOUSE):
            pass
    with alone(paths, ME):
        pass
