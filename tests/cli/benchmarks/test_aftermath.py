"""No figure without its evidence: a receipt for what the log does not hold, or a log that breaks a rule, is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.auction.terms import SECOND_NS, auction_id
from auctionctl.cli.benchmarks.aftermath import NOTHING, Checked, check_logs
from auctionctl.cli.benchmarks.bench_house import HOUSE, paths_of, prepare_house
from auctionctl.cli.progress import tell_nobody
from auctionctl.errors import VerificationError
from auctionctl.house.auction_log import log_name
from auctionctl.keys.keyfile import key_path, read_key
from auctionctl.net.filling import plan_logs, write_log
from auctionctl.store.log_store import Append
from auctionctl.store.sqlite import SqliteStore
from auctionctl.tlog.merkle import leaf_hash

START_NS = 1_767_225_600 * SECOND_NS


@pytest.fixture
def log(tmp_path: Path) -> tuple[bytes, list[bytes]]:
    """The auction and the entries of a log, which is yet to be stored."""
    keys = prepare_house(tmp_path, "", 2, 1)
    house = read_key(key_path(paths_of(tmp_path).keys, HOUSE))
    plan, *_ = plan_logs(house, keys, 400, START_NS)
    return auction_id(plan.terms.body), [data for data, _ in write_log(plan)]


def keep(home: Path, auction: bytes, entries: list[bytes]) -> None:
    store = SqliteStore(paths_of(home).house_state(HOUSE))
    store.append([Append(log_name(auction), 0, tuple(entries))], START_NS)
    store.close()


def test_what_receipts_say_is_in_the_log_and_the_log_is_replayed(
    tmp_path: Path, log: tuple[bytes, list[bytes]]
) -> None:
    auction, entries = log
    keep(tmp_path, auction, entries)
    proven = {(auction, index): leaf_hash(entries[index]) for index in (4, 9)}
    assert check_logs(tmp_path, proven, tell_nobody) == Checked(2, len(entries))
    assert NOTHING.plus(Checked(1, 2)) == Checked(1, 2)


@pytest.mark.parametrize("index", [9, 10_000])
def test_a_receipt_for_what_the_log_does_not_hold_is_found(
    tmp_path: Path, log: tuple[bytes, list[bytes]], index: int
) -> None:
    auction, entries = log
    keep(tmp_path, auction, entries)
    with pytest.raises(VerificationError, match="not in the log"):
        check_logs(tmp_path, {(auction, index): leaf_hash(entries[8])}, tell_nobody)


def test_a_log_that_breaks_a_rule_is_found(tmp_path: Path, log: tuple[bytes, list[bytes]]) -> None:
    auction, entries = log
    keep(tmp_path, auction, [*entries[:8], *entries[9:]])
    with pytest.raises(VerificationError):
        check_logs(tmp_path, {}, tell_nobody)
