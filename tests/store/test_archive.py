"""Logs that left the store: files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from auctionctl.errors import ArchiveError
from auctionctl.store.archive import Archive


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
    with pytest.raises(ArchiveError, match="others have access"):
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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("function", ["open", "fsync", "replace", "mkdir"])
def test_whatever_fails_is_an_error_of_the_archive_and_the_next_attempt_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    archive = Archive(tmp_path / "archive")
    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(ArchiveError, match=os.strerror(number)):
            archive.write("vase").finish()
    assert not archive.holds("vase")
    again = archive.write("vase")
    again.add([b"whole"])
    again.finish()
    assert archive.path("vase").read_bytes() == b"whole"


def test_the_name_of_the_directory_is_made_durable_however_often_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fails = 2
    sync = os.fsync

    def fail_at_first(descriptor: int) -> None:
        nonlocal fails
        if fails:
            fails -= 1
            raise OSError(errno.EIO, "for the test")
        sync(descriptor)
        synced.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", fail_at_first)
    archive = Archive(tmp_path / "archive")
    for _ in range(2):
        with pytest.raises(ArchiveError, match="for the test"):
            archive.write("vase")
    archive.write("vase").abandon()
    assert synced == [tmp_path.stat().st_ino]


def test_a_directory_that_can_be_used_or_made_passes_the_check_and_is_not_made_by_it(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.check()
    assert not (tmp_path / "archive").exists()
    archive.write("vase").finish()
    archive.check()


def test_a_directory_that_is_loose_none_or_closed_does_not_pass_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "archive"
    archive = Archive(directory)
    directory.mkdir(mode=0o700)
    with monkeypatch.context() as patch:
        # What a disk that is mounted to be read only, or somebody else's directory, makes of it.
        patch.setattr(os, "access", lambda _path, _mode: False)
        with pytest.raises(ArchiveError, match=f"archive directory {directory} cannot be written to"):
            archive.check()
    directory.chmod(0o755)
    with pytest.raises(ArchiveError, match=f"archive directory {directory} has mode 0755") as raised:
        archive.check()
    assert raised.value.hint == f"chmod 700 {directory}"
    directory.rmdir()
    directory.symlink_to(tmp_path / "gone")
    with pytest.raises(ArchiveError, match="cannot use archive directory"):
        archive.check()


def test_whether_a_file_is_there_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "archive").symlink_to("archive")
    with pytest.raises(ArchiveError, match="cannot look for"):
        Archive(tmp_path / "archive").holds("vase")
    (tmp_path / "file").touch()
    assert not Archive(tmp_path / "file").holds("vase")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_disk_that_is_full_is_said_to_be(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    archive.write("other").finish()
    (tmp_path / "archive" / "vase.auction.new").symlink_to("/dev/full")
    writing = archive.write("vase")
    with pytest.raises(ArchiveError, match=os.strerror(errno.ENOSPC)):
        writing.add([b"x" * 1_000_000])
    writing.abandon()
    assert os.listdir(tmp_path / "archive") == ["other.auction"]
