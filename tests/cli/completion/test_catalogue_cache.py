"""What is kept of a house is small, safe and private, and its loss hurts nobody."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from auctionctl.cli.completion.catalogue_cache import MAX_AUCTIONS, KnownAuction, catalogue_path, recall, remember

WATCH = KnownAuction("watch", "ab" * 32, "Gold watch", "open")


def test_what_is_kept_comes_back_and_is_nobody_elses(tmp_path: Path) -> None:
    path = catalogue_path(tmp_path / "state", "auc1" + "x" * 109)
    assert path.name == "catalogue-auc1xxxxxxxxxxxxxxxx.json"
    remember(path, [WATCH])
    assert recall(path) == [WATCH]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_of_more_than_a_thousand_the_last_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    remember(path, [KnownAuction(f"lot-{number}", f"{number:064x}", "Lot", "") for number in range(MAX_AUCTIONS + 5)])
    assert len(recall(path)) == MAX_AUCTIONS
    assert recall(path)[-1].listing == f"lot-{MAX_AUCTIONS + 4}"


def test_what_a_house_says_of_its_lots_is_made_safe(tmp_path: Path) -> None:
    remember(tmp_path / "c.json", [KnownAuction("a\x1b[31m" + "b" * 500, "00" * 32, "x\u202ey\n" + "z" * 500, "")])
    (kept,) = recall(tmp_path / "c.json")
    assert kept.listing.startswith("a[31mb")
    assert len(kept.listing) <= 64
    assert kept.title.startswith("xy z")
    assert len(kept.title) <= 120


def test_a_thousand_of_the_longest_entries_are_read_again(tmp_path: Path) -> None:
    longest = [KnownAuction("😀" * 64, f"{number:064x}", "😀" * 120, "announced") for number in range(MAX_AUCTIONS)]
    remember(tmp_path / "c.json", longest)
    assert recall(tmp_path / "c.json") == longest


def test_a_phase_that_is_not_known_is_the_one_known_before(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    remember(path, [WATCH])
    remember(path, [KnownAuction("watch", WATCH.id, "Gold watch", "")])
    assert recall(path) == [WATCH]


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"{}", b'{"auctions": 1}', b'{"auctions": [{}]}', b"[" * 9999]
)
def test_a_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(content)
    assert recall(path) == []
    remember(path, [WATCH])
    assert recall(path) == [WATCH]


def test_a_file_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    remember(tmp_path / "state" / "c.json", [WATCH])
    assert os.listdir(tmp_path) == ["state"]
