from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from auctionctl.cli.files import PRIVATE_MODE, Existing, make_private_directories, read_bounded, write_whole
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
