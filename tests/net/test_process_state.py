"""What a process says of itself is what the system says of it."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import pytest

from auctionctl.net import process_state
from auctionctl.net.process_state import own_state


def test_it_is_this_process_with_the_time_that_it_has_used() -> None:
    before_ns = time.process_time_ns()
    state = own_state()
    assert state.pid == os.getpid()
    assert before_ns <= state.cpu_ns <= time.process_time_ns()


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc to compare with")
def test_memory_and_descriptors_are_those_of_the_system() -> None:
    most_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert most_bytes // 8 < own_state().rss_bytes <= most_bytes * 2
    before = own_state().descriptors
    with open(os.devnull) as _one, open(os.devnull) as _other:
        assert own_state().descriptors == before + 2


def test_where_the_system_shows_nothing_it_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process_state, "_STATM", tmp_path / "statm")
    monkeypatch.setattr(process_state, "_DESCRIPTORS", str(tmp_path / "fd"))
    assert (own_state().rss_bytes, own_state().descriptors) == (0, 0)
