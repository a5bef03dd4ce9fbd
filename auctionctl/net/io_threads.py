"""The threads in which libzmq reads, writes and encrypts: they work off what has gathered, instead of each message.

A thread that was asleep and is given something may take the core from whoever gave it, under the ordinary policy. A
process that sends a hundred messages in a row is so interrupted a hundred times, for one message each. Under
SCHED_BATCH the thread runs at once where a core is free, as before; where there is none, it waits for its turn, and
then finds more to do (sched(7)). Measured on two cores that are both busy: from a tenth to a fifth of what a load takes
of the processor. A gateway's threads are not started so: on a machine that is busy with other things, answers to
bidders would wait for their turn.

Rule: a system that knows no such policy, or does not allow it, has its threads as they are.
"""

from __future__ import annotations

import contextlib
import os
import sys

import zmq


def start_io_threads(context: zmq.Context[zmq.Socket[bytes]]) -> None:
    """Start those of ``context``, which has no socket yet. The thread that calls stays under its own policy."""
    with contextlib.ExitStack() as until_started:
        if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER:
            with contextlib.suppress(OSError):
                # Threads inherit it; libzmq's own option for this would abort the process where it is not allowed.
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
                until_started.callback(os.sched_setscheduler, 0, os.SCHED_OTHER, os.sched_param(0))
        context.socket(zmq.PAIR).close()
