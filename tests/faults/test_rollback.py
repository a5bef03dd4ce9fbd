"""A house whose state is an old copy: whoever holds a receipt reminds it, and it writes no second history."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

from house_clients import all_join
from house_process import lot

from auctionctl.wire.messages import Remind, encode

NAMES = ("ann", "ben")
LOTS = [lot("vase"), lot("lamp")]


def stop(house: Any, *sessions: Any) -> None:
    for session in sessions:
        session.close()
    assert house.signal(signal.SIGTERM) == 0


def bid(bidder_of: Any, house: Any, auction: bytes, amount: int, name: str = "ann") -> tuple[Any, bytes]:
    bidder = bidder_of(name, house)
    bidder.greet()
    bidder._seq = amount
    command = bidder.bid(auction, amount)
    bidder.settle(command)
    return bidder, command


def replace(state: Path, by: Path) -> None:
    """Put another copy of the store there; what else is in the directory stays."""
    shutil.copy(by / "logs.sqlite3", state / "logs.sqlite3")


def test_a_house_that_was_rolled_back_is_reminded_and_halts_that_log_alone(
    start_house, bidder_of, raw_session_of, tmp_path: Path
) -> None:
    house = start_house(NAMES, LOTS)
    vase, lamp = house.auctions["vase"], house.auctions["lamp"]
    bidders = [bidder_of(name, house) for name in NAMES]
    all_join(bidders, [vase, lamp])
    stop(house, *bidders)
    state = tmp_path / "state"
    shutil.copytree(state, tmp_path / "old")

    house = start_house(NAMES, LOTS)
    ann, command = bid(bidder_of, house, vase, 100)
    note = ann.kept[command].receipt.checkpoint
    stop(house, ann)
    shutil.copytree(state, tmp_path / "whole")
    replace(state, tmp_path / "old")

    house = start_house(NAMES, LOTS)
    ben = raw_session_of("ben", house)
    ben.greet("observer")
    ben.send(encode(Remind(vase, note)), b"")
    halted = house.await_report("Halted")
    assert halted["log"] == f"auction/{vase.hex()}"
    assert "this house has signed for" in halted["reason"]
    ann, command = bid(bidder_of, house, vase, 200)
    assert ann.codes[command] == "halted"
    other = ann.bid(lamp, 300)
    assert ann.settle(other) == "receipted", "the lamp goes on"
    stop(house, ann)

    house = start_house(NAMES, LOTS)
    assert house.await_report("Halted")["log"] == halted["log"], "a restart forgets nothing"
    ann, command = bid(bidder_of, house, vase, 400)
    assert ann.codes[command] == "halted"
    stop(house, ann)

    replace(state, tmp_path / "whole")
    house = start_house(NAMES, LOTS)
    ben, command = bid(bidder_of, house, vase, 500, "ben")
    assert command in ben.kept, "what was signed is there again, and the log goes on"
    house.hear()
    assert not house.count("Halted")
