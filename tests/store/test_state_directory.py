"""The state directory: private, held by one, with something to let go of when the disk is full."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from auctionctl.errors import StoreError, StoreLockedError
from auctionctl.store.state_directory import Ballast, locked, make_private_directory


def test_a_missing_directory_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        make_private_directory(tmp_path / "far" / "down" / "state")
    finally:
        os.umask(old)
    assert (tmp_path / "far" / "down" / "state").stat().st_mode & 0o777 == 0o700
    make_private_directory(tmp_path / "far" / "down" / "state")


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o702])
def test_a_loose_directory_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "my state"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(StoreError, match=f"has mode {mode:04o}") as caught:
        make_private_directory(directory)
    subprocess.run(caught.value.hint, shell=True, check=True)
    make_private_directory(directory)


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a directory")
    for path in (tmp_path / "state", tmp_path / "state" / "inner"):
        with pytest.raises(StoreError, match="cannot use state directory"):
            make_private_directory(path)


def test_the_lock_is_for_one_at_a_time_and_names_its_holder(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(StoreLockedError, match=f"{tmp_path} is in use by process {os.getpid()}$") as caught:
            locked(tmp_path).__enter__()
        assert caught.value.hint == f"see what it is with: ps -p {os.getpid()}"
        # Whoever was refused has not taken the holder's name out.
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    with locked(tmp_path):
        pass
    assert (tmp_path / "lock").read_text() == ""


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from auctionctl.store.state_directory import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError, match=f"process {process.pid}"):
            locked(tmp_path).__enter__()
        process.kill()
    (tmp_path / "lock").write_text("12345678901234567890\n")
    with locked(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_without_a_legible_holder_says_how_to_find_it(tmp_path: Path) -> None:
    with locked(tmp_path):
        (tmp_path / "lock").write_text("")
        with pytest.raises(StoreLockedError, match="in use by another process") as caught:
            locked(tmp_path).__enter__()
    assert caught.value.hint == f"find it with: lsof {tmp_path / 'lock'}"


def test_a_lock_file_that_cannot_be_opened_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(StoreError, match="cannot open"):
        locked(tmp_path).__enter__()


def test_ballast_of_the_right_size_is_kept_and_short_or_sparse_ballast_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "ballast"
    assert Ballast(tmp_path, 100_000).held_bytes == 100_000
    content = path.read_bytes()
    assert Ballast(tmp_path, 100_000).held_bytes == 100_000
    assert path.read_bytes() == content
    os.truncate(path, 0)
    os.truncate(path, 100_000)
    assert Ballast(tmp_path, 100_000).held_bytes == 100_000
    assert path.read_bytes() != bytes(100_000)
    assert path.stat().st_mode & 0o777 == 0o600


def test_ballast_that_does_not_fit_is_not_made_and_none_is_reported(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path, 2**62)
    assert ballast.held_bytes == 0
    assert not (tmp_path / "ballast").exists()
    assert ballast.release() == 0


def test_ballast_that_cannot_be_written_is_reported_as_none(tmp_path: Path) -> None:
    (tmp_path / "ballast").mkdir()
    ballast = Ballast(tmp_path, 10**6)
    assert ballast.held_bytes < 10**6
    assert Ballast(tmp_path / "nowhere", 1000).held_bytes == 0


def test_half_written_ballast_is_given_back(tmp_path: Path) -> None:
    # A limit on the length of files stands for a disk that fills up under the write.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        ballast = Ballast(tmp_path, 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ballast.held_bytes == 0
    assert list(tmp_path.iterdir()) == []
