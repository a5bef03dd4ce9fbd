"""Logs that left the store: files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from auctionctl.errors import StoreBrokenError, StoreError, StoreFullError
from auctionctl.store.archive import Archive, _disk


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    writing = archive.write("vase-00")
    writing.add([b"one ", b"two "])
    assert not archive.holds("vase-00")
    writing.add([b"three"])
    writing.finish()
    assert archive.holds("vase-00")
    assert archive.path("vase-00").read_bytes() == b"one two three"
    assert os.listdir(tmp_path / "archive") == ["vase-00.auction"]


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.write("vase").finish()
    assert archive.path("vase").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "archive").stat().st_mode & 0o777 == 0o700
    (tmp_path / "archive").chmod(0o755)
    with pytest.raises(StoreError, match="others have access"):
        archive.write("vase")


def test_what_a_crash_left_is_begun_anew(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    tmp_path.chmod(0o700)
    unfinished = archive.write("vase")
    unfinished.add([b"x" * 100_000])
    again = archive.write("vase")
    again.add([b"whole"])
    again.finish()
    assert archive.path("vase").read_bytes() == b"whole"
    unfinished.abandon()
    assert archive.path("vase").read_bytes() == b"whole"


def test_abandoning_leaves_nothing(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    writing = archive.write("vase")
    writing.add([b"x"])
    writing.abandon()
    assert os.listdir(tmp_path / "archive") == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, StoreFullError), (errno.EDQUOT, StoreFullError), (errno.EIO, StoreBrokenError)],
)
def test_a_full_disk_and_a_doubtful_one_are_told_apart(tmp_path: Path, number: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=str(tmp_path)), _disk(tmp_path):
        raise OSError(number, os.strerror(number))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_disk_that_is_full_is_said_to_be(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.write("other").finish()
    (tmp_path / "archive" / "vase.auction.new").symlink_to("/dev/full")
    writing = archive.write("vase")
    with pytest.raises(StoreFullError, match="no room left"):
        writing.add([b"x" * 1_000_000])
    writing.abandon()
    assert os.listdir(tmp_path / "archive") == ["other.auction"]
