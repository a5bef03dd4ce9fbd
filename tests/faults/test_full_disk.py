"""A disk that fills up in the middle of bidding, for real: a small file system of its own under a house's state."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from house_clients import all_join, bid_against_each_other, check_promises
from house_process import lot

from auctionctl.auction.terms import SECOND_NS
from auctionctl.store.state_directory import BALLAST_BYTES
from auctionctl.wire.messages import Refused

NAMES = ("ann", "ben")
DISK_BYTES = 3 * BALLAST_BYTES
REFUSALS = 3


class SmallDisk:
    """A file system at ``path`` that holds DISK_BYTES."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        options = f"size={DISK_BYTES},mode=0700"
        self.is_mounted = not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=False
        ).returncode

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.path / "filler").open("ab", buffering=0) as filler:
            for size in (1 << 16, 1 << 12):
                while self._takes(filler, bytes(size)):
                    pass

    def _takes(self, filler: BinaryIO, data: bytes) -> bool:
        try:
            filler.write(data)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return False
            raise
        return True

    def make_room(self) -> None:
        (self.path / "filler").unlink()

    def close(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", self.path], check=True)


@pytest.fixture
def disk(stack, tmp_path) -> SmallDisk:
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root mounts a small file system")
    made = SmallDisk(tmp_path / "state")
    stack.callback(made.close)
    if not made.is_mounted:
        pytest.skip("no file system can be mounted here")
    return made


def refusals(bidders) -> list[Refused]:
    """Those for want of room, of all of them."""
    notices = [notice for bidder in bidders for notice in bidder.notices]
    return [each for each in notices if isinstance(each, Refused) and each.code == "store_full"]


def test_on_a_full_disk_nothing_is_accepted_and_nothing_lost_and_bidding_goes_on_when_there_is_room(
    disk, start_house, bidder_of
):
    house = start_house(NAMES, [lot("vase"), lot("lamp")])
    bidders = [bidder_of(name, house) for name in NAMES]
    auctions = list(house.auctions.values())
    all_join(bidders, auctions)
    bid_against_each_other(bidders, auctions, lambda: all(len(b.kept) > 10 for b in bidders), "receipts")

    def is_full() -> bool:
        """Until whoever does not lead is refused; the ballast that the house gives back goes the same way."""
        disk.fill()
        house.hear()
        return len(refusals(bidders)) >= REFUSALS

    bid_against_each_other(bidders, auctions, is_full, "refusals for want of room")
    kept, refused = [len(bidder.kept) for bidder in bidders], len(refusals(bidders))
    bid_against_each_other(
        bidders, auctions, lambda: len(refusals(bidders)) >= refused + REFUSALS, "more refusals, whatever is tried"
    )
    assert [len(bidder.kept) for bidder in bidders] == kept, "nothing was accepted"
    assert all(refusal.retry_after_ns for refusal in refusals(bidders))
    assert house.await_report("StoreFull")["released_bytes"] == BALLAST_BYTES
    for auction in auctions:
        check_promises(bidders, auction)

    waiting = {command for bidder in bidders for command in bidder.core.unanswered}
    disk.make_room()
    bid_against_each_other(
        bidders,
        auctions,
        lambda: all(len(b.kept) > least + 5 for b, least in zip(bidders, kept, strict=True)),
        "receipts again",
    )
    answered = {command for bidder in bidders for command in (*bidder.kept, *bidder.codes)}
    assert waiting
    assert waiting <= answered, "the same bytes, of which nothing had been written"
    for auction in auctions:
        check_promises(bidders, auction)
    house.hear()
    assert house.count("Restarted") == 0


def test_an_auction_whose_end_passes_while_the_disk_is_full_goes_on_when_there_is_room(disk, start_house, bidder_of):
    house = start_house(NAMES, [lot("vase", duration_ns=6 * SECOND_NS)])
    bidders = [bidder_of(name, house) for name in NAMES]
    auction = house.auctions["vase"]
    all_join(bidders, [auction])
    bid_against_each_other(bidders, [auction], lambda: all(len(b.kept) > 3 for b in bidders), "receipts")
    end_ns = bidders[0].auction(auction).end_ns

    def is_over() -> bool:
        disk.fill()
        return bool(refusals(bidders)) and time.time_ns() > end_ns + SECOND_NS

    bid_against_each_other(bidders, [auction], is_over, "the end to pass on a full disk")
    kept = [len(bidder.kept) for bidder in bidders]
    disk.make_room()
    bid_against_each_other(
        bidders,
        [auction],
        lambda: all(len(b.kept) > least for b, least in zip(bidders, kept, strict=True)),
        "receipts after the end that was",
    )
    assert {gap.cause for gap in check_promises(bidders, auction)} == {"stalled"}
    assert bidders[0].auction(auction).end_ns > end_ns + SECOND_NS
