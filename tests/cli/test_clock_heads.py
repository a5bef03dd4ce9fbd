"""Clock heads that were kept are held against exported logs and receipts, and the file of each auction stays whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.clock_heads import FILES_A_TICK, ClockHeadFiles, clock_words
from auctionctl.client.evidence import keeping_evidence
from auctionctl.client.paths import find_paths
from auctionctl.client.receipts import CLOCK_HEAD, ReceiptFiles
from auctionctl.errors import VerificationError
from auctionctl.house.auction_log import AuctionLog
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.export import decode_export
from auctionctl.replica.replica import Replica
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.cosignature import Cosigner
from auctionctl.tlog.entry import decode
from auctionctl.wire.messages import Entries

BACK_NS = 1_500_000_000


def stamped(house: Any, auction: bytes, size: int | None = None, time_s: int | None = None) -> bytes:
    """A clock head of ``house``, truly signed: over ``size`` entries, or all that there are, at ``time_s``, or now."""
    log = house.house.log(auction)
    size = log.tree.size if size is None else size
    note = CheckpointSigner(origin_of(house.key.identity.text, log.name), house.key).sign(size, log.tree.root(size))
    time_s = house.now_ns // SECOND_NS if time_s is None else time_s
    return Cosigner(house.key.identity.text, house.key).stamp(note, time_s)


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    """Writes clock heads to files."""

    def keep(name: str, note: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(note)
        return path

    return keep


@pytest.fixture
def back_dated(memory_house: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """(house, auction, clock head that it sent at entry 5, the bid behind it): entry 5 is dated before that."""
    house = memory_house
    from .conftest import LOT

    auction = house.announce(LOT)
    for bidder in (0, 1):
        house.join(bidder, auction)
    house.wait(1)
    house.bid(0, auction, 10_000)
    house.wait(2)
    note = stamped(house, auction)
    honest = AuctionLog.add_bid
    with monkeypatch.context() as patch:
        patch.setattr(AuctionLog, "add_bid", lambda log, *bid: honest(log, *bid[:-1], bid[-1] - BACK_NS))
        command = house.bid(1, auction, 12_000)
    house.wait(6)
    return house, auction, note, command


def test_a_log_that_a_house_dated_back_passes_alone_and_fails_beside_its_own_clock_head(
    back_dated: Any, run: Any, kept: Any
) -> None:
    house, auction, note, _ = back_dated
    log, head = kept("x.auction", house.export(auction)), kept("head.note", note)
    assert run("verify", log, "--house", house.key.identity.text).status == 0
    done = run("verify", log, "--house", house.key.identity.text, "--clock-head", head)
    assert done.status == 7
    assert "entry 5: back_dated: dated 1.500 s before the house signed at" in done.err
    assert f"hint: {head}: the house has signed both" in done.err


def test_so_does_the_receipt_of_that_bid(back_dated: Any, run: Any, kept: Any) -> None:
    house, _, note, command = back_dated
    receipt, head = kept("bid.tlog-proof", house.receipts[command].encode()), kept("head.note", note)
    assert run("verify", receipt).status == 0
    done = run("verify", receipt, "--clock-head", head)
    assert done.status == 7
    assert "entry 5: back_dated" in done.err


def test_honest_logs_and_receipts_pass_beside_all_clock_heads(sold: Any, run: Any, kept: Any) -> None:
    house, auction = sold.house, sold.auction
    log, receipt = kept("x.auction", sold.data), kept("x.tlog-proof", house.receipts[sold.commands[0]].encode())
    times = [decode(data).time_ns for data in house.entries[house.house.log(auction).name]]
    files = [
        kept(f"{size}.note", stamped(house, auction, size, times[size - 1] // SECOND_NS))
        for size in range(1, len(times) + 1)
    ]
    options = [word for file in files for word in ("--clock-head", file)]
    done = run("verify", log, *options)
    assert done.status == 0
    assert f"{len(files)} agree; the last one is of 20" in done.out
    for path in (log, receipt):
        assert json.loads(run("verify", path, "--json", *options).out)["clock_heads_checked"] == len(files)
    assert json.loads(run("verify", log, "--json").out)["clock_heads_checked"] == 0


def test_an_entry_dated_ahead_of_the_clock_is_named(sold: Any, run: Any, kept: Any) -> None:
    house, auction = sold.house, sold.auction
    entries = [decode(data) for data in house.entries[house.house.log(auction).name]]
    close_s = entries[-1].time_ns // SECOND_NS
    note = stamped(house, auction, len(entries), close_s - 1)
    done = run("verify", kept("x.auction", sold.data), "--clock-head", kept("head.note", note))
    assert done.status == 7
    assert f"entry {len(entries) - 1}: ahead_of_clock: dated 1.000 s after" in done.err


def test_a_clock_head_beyond_the_log_is_compared_as_far_as_that_goes(sold: Any, run: Any, kept: Any) -> None:
    house, auction = sold.house, sold.auction
    beginning = kept("x.auction", house.export(auction, 5))
    assert run("verify", beginning, "--clock-head", kept("now.note", stamped(house, auction))).status == 0
    early = kept("early.note", stamped(house, auction, None, 1))
    done = run("verify", beginning, "--clock-head", early)
    assert done.status == 7
    assert "entry 0: ahead_of_clock" in done.err


def test_a_clock_head_of_another_history_is_a_fork(sold: Any, run: Any, kept: Any) -> None:
    house, auction = sold.house, sold.auction
    origin = origin_of(house.key.identity.text, f"auction/{auction.hex()}")
    note = CheckpointSigner(origin, house.key).sign(5, bytes(32))
    other = Cosigner(house.key.identity.text, house.key).stamp(note, house.now_ns // SECOND_NS)
    done = run("verify", kept("x.auction", sold.data), "--clock-head", kept("head.note", other))
    assert done.status == 7
    assert "log: root: the clock head of" in done.err


def test_what_is_no_clock_head_of_this_log_is_said_to_be_none(sold: Any, run: Any, kept: Any) -> None:
    house, auction = sold.house, sold.auction
    log, good = kept("x.auction", sold.data), stamped(house, auction)
    other = SecretKey(bytes([77]) * 32)
    for name, note in (
        ("changed", good.replace(b"\n7\n", b"\n8\n")),
        ("checkpoint", house.house.log(auction).sign_head()),
        ("other", Cosigner(other.identity.text, other).stamp(house.house.log(auction).sign_head(), 1)),
        ("empty", b""),
        ("log", sold.data[:4000]),
    ):
        done = run("verify", log, "--clock-head", kept(name, note))
        assert done.status == 7, name
        assert "log: checkpoint: this is no clock head of this log" in done.err
        assert f"hint: {log.parent / name}: " in done.err
    assert run("verify", log, "--clock-head", kept("large", bytes(5_000))).status == 78
    assert run("verify", log, "--clock-head", log.parent / "missing").status == 3


def test_a_registry_has_no_clock_heads(sold: Any, run: Any, kept: Any) -> None:
    registry = kept("r.auction", sold.house.registry_export())
    done = run("verify", registry, "--clock-head", kept("head.note", stamped(sold.house, sold.auction)))
    assert done.status == 2
    assert "--clock-head is for what an auction's log holds" in done.err


# The files of a bidder


def replicas_of(*auctions: bytes) -> dict[bytes, Replica]:
    """Copies of logs that have not begun."""
    return {auction: Replica(SecretKey(bytes(32)).identity, auction) for auction in auctions}


def test_the_last_clock_head_of_each_auction_is_kept_beside_its_receipts(sold: Any, tmp_path: Path) -> None:
    replica = replayed(sold)
    second = bytes([2]) * 32
    files = ClockHeadFiles(ReceiptFiles(tmp_path), {sold.auction: replica} | replicas_of(second))
    for note in (b"one", b"two"):
        files.keep(sold.auction, note)
    files.keep(second, b"other")
    files.write_some()
    path = tmp_path / f"gold-watch-{sold.auction.hex()[:12]}" / CLOCK_HEAD
    assert path.read_bytes() == b"two"
    assert (tmp_path / ("02" * 6) / CLOCK_HEAD).read_bytes() == b"other"
    files.keep(sold.auction, b"three")
    files.write_some()
    assert path.read_bytes() == b"two"
    files.write_all()
    assert path.read_bytes() == b"three"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.note")} == {0o600}


def test_many_are_written_a_few_at_a_time(tmp_path: Path) -> None:
    auctions = [bytes([number]) * 32 for number in range(3 * FILES_A_TICK)]
    files = ClockHeadFiles(ReceiptFiles(tmp_path), replicas_of(*auctions))
    for auction in auctions:
        files.keep(auction, b"note")
    files.write_some()
    files.write_some()
    assert sorted(path.name for path in tmp_path.iterdir()) == [each.hex()[:12] for each in auctions[:FILES_A_TICK]]
    files.write_all()
    assert len(list(tmp_path.iterdir())) == len(auctions)


def test_where_nothing_can_be_written_that_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "receipts").write_text("in the way")
    auctions = [bytes([number]) * 32 for number in range(3)]
    files = ClockHeadFiles(ReceiptFiles(tmp_path / "receipts"), replicas_of(*auctions))
    for auction in auctions:
        files.keep(auction, b"note")
    files.write_all()
    assert capsys.readouterr().err.count("warning: the house's clock heads are not kept") == 1


def replayed(sold: Any, size: int | None = None) -> Replica:
    """A copy of the log of ``sold``, as far as its first ``size`` entries."""
    house = sold.house
    replica = Replica(house.key.identity, sold.auction)
    export = decode_export(house.export(sold.auction, size))
    replica.extend(Entries(sold.auction, 0, export.entries, export.checkpoint))
    return replica


def recall(sold: Any, directory: Path, note: bytes, size: int | None = None) -> None:
    receipts = ReceiptFiles(directory)
    receipts.keep_clock_head("gold-watch", sold.auction, note)
    ClockHeadFiles(receipts, {sold.auction: replayed(sold, size)}).recall(sold.auction)


def test_the_next_run_holds_what_was_kept_against_the_log(sold: Any, tmp_path: Path) -> None:
    house, auction = sold.house, sold.auction
    recall(sold, tmp_path, stamped(house, auction))
    with pytest.raises(VerificationError, match="entry 5: back_dated"):
        recall(sold, tmp_path, stamped(house, auction, 5))
    with pytest.raises(VerificationError, match="back_dated"):
        recall(sold, tmp_path, stamped(house, auction, 3), 5)


def test_it_is_held_once_and_when_the_log_has_begun(sold: Any, tmp_path: Path) -> None:
    receipts, auction = ReceiptFiles(tmp_path), sold.auction
    replicas = {auction: Replica(sold.house.key.identity, auction)}
    files = ClockHeadFiles(receipts, replicas)
    receipts.keep_clock_head("gold-watch", auction, stamped(sold.house, auction, 5))
    files.recall(auction)
    replicas[auction] = replayed(sold)
    with pytest.raises(VerificationError):
        files.recall(auction)
    files.recall(auction)


def test_what_is_no_clock_head_any_more_is_passed_over_with_a_word(
    sold: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recall(sold, tmp_path, b"damaged")
    assert "which an earlier run kept, is not compared: " in capsys.readouterr().err


# What is proved


def test_evidence_is_on_disk_before_anybody_hears_of_it(back_dated: Any, run: Any, tmp_path: Path, kept: Any) -> None:
    house, auction, note, _ = back_dated
    replica = Replica(house.key.identity, auction)
    export = decode_export(house.export(auction))
    paths = find_paths({"AUCTIONCTL_HOME": str(tmp_path)})
    replica.stamp(note)
    with pytest.raises(VerificationError) as error, keeping_evidence(paths):
        replica.extend(Entries(auction, 0, export.entries, export.checkpoint))
    (case,) = paths.evidence.iterdir()
    assert case.name.endswith("Z-back_dated")
    assert error.value.hint.startswith(f"the evidence is kept in {case}; show it to others")
    # By itself, to anybody.
    done = run("verify", case / "entry.tlog-proof", "--clock-head", case / "clock-head.note")
    assert done.status == 7
    assert "entry 5: back_dated" in done.err


def test_a_clock_that_is_off_is_told_in_words() -> None:
    assert clock_words(6_400_000_000).startswith("warning: the house's clock is 6 s ahead of this machine's: ")
    assert "3600 s behind this machine's" in clock_words(-3_600 * SECOND_NS)
