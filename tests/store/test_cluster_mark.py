"""A machine knows how far the stream had come, and says so whatever became of the file's last writing."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from auctionctl.errors import ConfigurationError
from auctionctl.store.cluster_mark import ClusterMark


def test_what_was_kept_last_is_read(tmp_path: Path) -> None:
    mark = ClusterMark(tmp_path)
    assert mark.read() is None
    for sequence in (1, 5, 5, 70):
        mark.keep(sequence, f"id{sequence}")
    assert ClusterMark(tmp_path).read() == (70, "id70")
    assert stat.S_IMODE(mark.path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["cluster"]


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    mark = ClusterMark(tmp_path)
    mark.keep(1, "id")
    mark.path.unlink()
    mark.keep(1, "id")
    assert mark.read() is None


def test_a_disk_that_fails_keeps_the_last_one(tmp_path: Path) -> None:
    mark = ClusterMark(tmp_path)
    mark.keep(1, "id")
    (tmp_path / "cluster.new").mkdir()
    mark.keep(2, "id")
    assert mark.read() == (1, "id")
    (tmp_path / "cluster.new").rmdir()
    mark.keep(2, "id")
    assert mark.read() == (2, "id")


@pytest.mark.parametrize("content", [b"", b"1", b"x id\n", b"-1 id\n", b"1 id more\n", b"\xff\xff id"])
def test_a_damaged_mark_excuses_nothing(tmp_path: Path, content: bytes) -> None:
    mark = ClusterMark(tmp_path)
    mark.path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="is damaged"):
        mark.read()


def test_a_mark_that_cannot_be_read_excuses_nothing(tmp_path: Path) -> None:
    mark = ClusterMark(tmp_path)
    mark.path.mkdir()
    with pytest.raises(ConfigurationError, match="cannot read"):
        mark.read()
