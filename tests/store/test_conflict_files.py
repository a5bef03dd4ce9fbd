"""A case is whole on the disk or not there, kept once, and none too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.store import conflict_files
from auctionctl.store.conflict_files import ACCEPTED, REFUSED, ConflictFiles

TIME_NS = 1_767_225_600_000_000_007
ANN, BEN = b"a" * 32, b"b" * 32


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "evidence").iterdir())


def test_a_case_is_named_by_time_bidder_and_bid_and_holds_signature_and_body(tmp_path: Path) -> None:
    ConflictFiles(tmp_path).keep(TIME_NS, ANN, refused=(b"body", b"s" * 64), accepted=(b"other", b"t" * 64))
    (name,) = names(tmp_path)
    assert name == "20260101T000000.000000007Z-sequence_conflict-6161616161616161-230d8358dc8e8890"
    case = tmp_path / "evidence" / name
    assert (case / REFUSED).read_bytes() == b"s" * 64 + b"body"
    assert (case / ACCEPTED).read_bytes() == b"t" * 64 + b"other"


def test_what_was_not_found_is_left_out(tmp_path: Path) -> None:
    ConflictFiles(tmp_path).keep(TIME_NS, ANN, refused=(b"body", b"s" * 64), accepted=None)
    assert [path.name for path in (tmp_path / "evidence").glob("*/*")] == [REFUSED]


def test_the_same_bid_is_kept_once_also_after_a_restart(tmp_path: Path) -> None:
    files = ConflictFiles(tmp_path)
    assert files.has_room(ANN, b"body")
    files.keep(TIME_NS, ANN, refused=(b"body", b"s" * 64), accepted=None)
    for again in (files, ConflictFiles(tmp_path)):
        assert not again.has_room(ANN, b"body")
        assert again.has_room(ANN, b"another")
        assert again.has_room(BEN, b"body")


def test_all_bidders_together_have_no_more_than_the_house_has_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflict_files, "MAX_CASES", 2)
    files = ConflictFiles(tmp_path)
    for key in (ANN, BEN):
        files.keep(TIME_NS, key, refused=(b"body", b"s" * 64), accepted=None)
    assert not files.has_room(b"c" * 32, b"body")


def test_half_a_case_that_a_crash_left_is_none_and_makes_room(tmp_path: Path) -> None:
    left = tmp_path / "evidence" / ".new"
    left.mkdir(0o700, parents=True)
    (tmp_path / "evidence").chmod(0o700)
    (left / REFUSED).write_bytes(b"half")
    files = ConflictFiles(tmp_path)
    files.keep(TIME_NS, ANN, refused=(b"body", b"s" * 64), accepted=None)
    (name,) = names(tmp_path)
    assert (tmp_path / "evidence" / name / REFUSED).read_bytes() == b"s" * 64 + b"body"
