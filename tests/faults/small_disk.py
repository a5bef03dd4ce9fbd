"""A small file system of its own, to be filled up; only root can mount one, so that elsewhere its tests are skipped."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

import pytest

from auctionctl.store.state_directory import BALLAST_BYTES

DISK_BYTES: Final = 3 * BALLAST_BYTES


class SmallDisk:
    """A file system at ``path`` that holds DISK_BYTES."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        options = f"size={DISK_BYTES},mode=0700"
        self.is_mounted = not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=False
        ).returncode

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.path / "filler").open("ab", buffering=0) as filler:
            for size in (1 << 16, 1 << 12):
                while self._takes(filler, bytes(size)):
                    pass

    def _takes(self, filler: BinaryIO, data: bytes) -> bool:
        try:
            filler.write(data)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return False
            raise
        return True

    def make_room(self) -> None:
        (self.path / "filler").unlink()

    def close(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", self.path], check=True)


def mounted(path: Path, stack: ExitStack) -> SmallDisk:
    """A small disk at ``path``, which must not be there, for as long as ``stack`` is open."""
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root mounts a small file system")
    made = SmallDisk(path)
    stack.callback(made.close)
    if not made.is_mounted:
        pytest.skip("no file system can be mounted here")
    return made
