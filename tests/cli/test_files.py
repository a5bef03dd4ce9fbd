from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from auctionctl.cli.files import PRIVATE_MODE, Existing, make_private_directories, write_whole
from auctionctl.errors import ConfigurationError


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
