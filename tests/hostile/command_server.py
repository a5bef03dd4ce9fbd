"""Runs command lines, each in a fork of this process, which has the slow imports behind it.

Rule: a fork begins with the working directory, environment, stdin, stdout and stderr of its order, and with no more
rights than an ordinary user's, so that modes of files mean something to it. One order a line of stdin, in JSON; one
exit status a line of stdout. A command that does not end in time is killed by SIGALRM.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
from typing import Any, NoReturn

from auctionctl.cli import app

PATIENCE_S = 20
SLOW = ("nacl.bindings", "msgspec", "zmq", "rich.console", "rich.table", "auctionctl.net.supervisor")


def drop_rights() -> None:
    """As root on Linux: keep no capability, so that a file of mode 0 cannot be read."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        return
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capset")


def become(order: dict[str, Any]) -> NoReturn:
    """Run one command line, and exit as the program would."""
    os.setsid()
    for number, (path, flags) in enumerate(
        [
            (order["stdin"], os.O_RDONLY),
            (order["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (order["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ]
    ):
        descriptor = os.open(path, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    signal.alarm(PATIENCE_S)
    drop_rights()
    sys.argv = ["auctionctl", *order["arguments"]]
    try:
        app.main()
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else 1
    except BaseException:  # noqa: BLE001 - shown, as the interpreter would
        import traceback

        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def serve() -> None:
    """Take orders until stdin ends."""
    for module in (*app.COMMANDS.values(), *SLOW):
        importlib.import_module(module)
    # What is there by now is no garbage: a fork that looks through it copies every page of it.
    gc.collect()
    gc.freeze()
    for line in sys.stdin.buffer:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            become(order)
        _, status = os.waitpid(pid, 0)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    serve()
