"""What a machine's stall is: a sync that takes long, and not a process that is busy."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from machine_stalls import MachineStalls


def test_a_disk_that_stands_still_is_a_stall_of_the_machine(tmp_path: Path, monkeypatch) -> None:
    held, synced = threading.Event(), threading.Event()
    bare = os.fsync

    def slow(descriptor: int) -> None:
        synced.set()
        held.wait()
        bare(descriptor)

    with MachineStalls(tmp_path) as stalls:
        monkeypatch.setattr(os, "fsync", slow)
        assert synced.wait(30)
        begun_s = time.monotonic()
        while time.monotonic() < begun_s + 0.3:
            pass
        assert stalls.longest_s >= 0.3, "while it lasts"
        held.set()
    assert stalls.longest_s >= 0.3


def test_while_somebody_computes_nothing_stands_still(tmp_path: Path) -> None:
    begun_s, busy_s = time.monotonic(), 0.5
    with MachineStalls(tmp_path) as stalls:
        until_s = time.process_time() + busy_s
        while time.process_time() < until_s:
            pass
        assert stalls.longest_s < time.monotonic() - begun_s - busy_s / 2
