"""What libzmq does in threads of its own does not interrupt whoever gives it work, where that can be said."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

POLICIES = """
import os, zmq
from auctionctl.net.io_threads import start_io_threads
{before}
context = zmq.Context()
start_io_threads(context)
with context.socket(zmq.REP) as server, context.socket(zmq.REQ) as client:
    client.connect(f"tcp://127.0.0.1:{{server.bind_to_random_port('tcp://127.0.0.1')}}")
    client.send(b"works")
    assert server.recv() == b"works"
    others = {{int(name) for name in os.listdir("/proc/self/task")}} - {{os.getpid()}}
    print(os.sched_getscheduler(0), *sorted(map(os.sched_getscheduler, others)))
context.destroy(linger=0)
"""
REFUSED = """
def refuse(*_): raise PermissionError(1, "Operation not permitted")
os.sched_setscheduler = refuse
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="another system has other policies")


def policies(before: str = "") -> list[int]:
    """Of the main thread of a process of its own, and of libzmq's."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", POLICIES.format(before=before)], capture_output=True, timeout=60, check=True
    )
    return [int(word) for word in done.stdout.split()]


def test_the_threads_of_libzmq_wait_for_their_turn_and_nobody_else_does() -> None:
    main, *others = policies()
    assert main == os.SCHED_OTHER
    assert set(others) == {os.SCHED_BATCH}
    assert len(others) >= 2, "one that reads and writes, one that tidies up"


def test_where_that_is_not_allowed_everything_works_as_it_is() -> None:
    assert set(policies(REFUSED)) == {os.SCHED_OTHER}
