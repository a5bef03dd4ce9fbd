from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from auctionctl.client.files import PRIVATE_MODE, Existing, make_private_directories, read_bounded, write_whole
from auctionctl.errors import ConfigurationError, NotFoundError


def test_a_new_file_has_the_mode_asked_for_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", b"data", PRIVATE_MODE, Existing.REFUSE)
    assert (tmp_path / "x").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["x"]


def test_a_file_that_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(ConfigurationError, match="exists already") as caught:
        write_whole(path, b"new", PRIVATE_MODE, Existing.REFUSE)
    assert "--force" in caught.value.hint
    assert path.read_bytes() == b"old"
    write_whole(path, b"new", PRIVATE_MODE, Existing.REPLACE)
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["x"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file or directory"):
        write_whole(tmp_path / "missing" / "x", b"data", PRIVATE_MODE, Existing.REFUSE)
    (tmp_path / "d").mkdir()
    with pytest.raises(ConfigurationError, match="is a directory"):
        write_whole(tmp_path / "d", b"data", PRIVATE_MODE, Existing.REPLACE)
    assert os.listdir(tmp_path) == ["d"]


def test_what_replaces_a_file_stands_where_its_link_leads_and_has_its_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "real" / "list", tmp_path / "list"
    target.parent.mkdir()
    link.symlink_to("real/list")
    write_whole(link, b"first", PRIVATE_MODE, Existing.REPLACE)
    assert stat.S_IMODE(target.stat().st_mode) == PRIVATE_MODE
    target.chmod(0o640)
    write_whole(link, b"second", PRIVATE_MODE, Existing.REPLACE)
    assert link.is_symlink()
    assert target.read_bytes() == b"second"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert (os.listdir(target.parent), sorted(os.listdir(tmp_path))) == (["list"], ["list", "real"])


def test_a_link_that_leads_nowhere_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ConfigurationError, match="symbolic links"):
        write_whole(tmp_path / "loop", b"data", PRIVATE_MODE, Existing.REPLACE)
    assert (tmp_path / "loop").is_symlink()
    assert os.listdir(tmp_path) == ["loop"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of somebody else")
def test_what_root_replaces_still_belongs_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"old")
    os.chown(path, 12_345, 23_456)
    path.chmod(0o600)
    write_whole(path, b"new", PRIVATE_MODE, Existing.REPLACE)
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12_345, 23_456, 0o600)


def test_what_would_change_hands_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"old")

    def refuse(descriptor: int, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    true_status = os.fstat

    def of_another(descriptor: int) -> os.stat_result:
        status = true_status(descriptor)
        return os.stat_result((*status[:4], status.st_uid + 1, *status[5:]))

    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr("auctionctl.client.files.os.fstat", of_another)
    with pytest.raises(ConfigurationError, match="no longer belong to its owner") as caught:
        write_whole(path, b"new", PRIVATE_MODE, Existing.REPLACE)
    assert "as the file's owner" in caught.value.hint
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["list"]


def test_directories_that_are_made_are_nobody_elses(tmp_path: Path) -> None:
    make_private_directories(tmp_path / "a" / "b")
    make_private_directories(tmp_path / "a" / "b")
    for path in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_directory_where_a_file_is_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="cannot create"):
        make_private_directories(tmp_path / "x" / "y")


def test_a_file_is_read_up_to_its_limit_and_not_beyond(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5) == b"12345"
    with pytest.raises(ConfigurationError, match="larger than 4 bytes"):
        read_bounded(path, 4)
    assert read_bounded(path, 5, mark=(b"12", b"9")) == b"12345"
    assert read_bounded(path, 1, mark=(b"x",)) == b"1"


def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigurationError, match="larger than 100 bytes"):
        read_bounded(Path("/dev/zero"), 100)


def test_a_pipe_without_a_writer_is_empty_and_one_with_a_writer_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read_bounded(path, 100) == b""
    reader, writer = os.pipe()
    with os.fdopen(reader):
        os.write(writer, b"data")
        os.close(writer)
        assert read_bounded(Path(f"/dev/fd/{reader}"), 100) == b"data"


def test_what_is_missing_is_named_with_what_may_have_been_meant(tmp_path: Path) -> None:
    (tmp_path / "auctions.toml").write_bytes(b"")
    for path, hint in (
        (tmp_path / "auction.toml", "did you mean auctions.toml?"),
        (tmp_path / "zzz", f"it was looked for in {tmp_path}"),
        (tmp_path / "no" / "x", f"there is no directory {tmp_path / 'no'} either"),
        (tmp_path / "auctions.toml" / "x", "there is no directory"),
    ):
        with pytest.raises(NotFoundError, match="there is no file") as caught:
            read_bounded(path, 1)
        assert hint in caught.value.hint


def test_a_file_that_says_that_it_is_too_large_is_refused_without_being_read(tmp_path: Path) -> None:
    """A terabyte of nothing, which nobody could read within a test."""
    with (tmp_path / "x").open("wb") as file:
        file.write(b"mark")
        file.truncate(1 << 40)
    with pytest.raises(ConfigurationError, match="larger than 100 bytes"):
        read_bounded(tmp_path / "x", 100, mark=(b"mark",))
    assert read_bounded(tmp_path / "x", 100, mark=(b"other",)) == b"mark\0"
