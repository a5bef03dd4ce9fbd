"""Where a child process of the supervisor starts: ``python -m auctionctl.net.child KIND DESCRIPTOR``.

A child lives as long as its control socket; it ends without a word when the supervisor is gone. What goes wrong in it
is reported over that socket, once, and is the supervisor's to tell.
"""

from __future__ import annotations

import gc
import signal
import socket
import sys
from typing import Final

from auctionctl.errors import AuctionctlError, StoreAwayError, StoreBrokenError
from auctionctl.keys.core_dumps import forbid_core_files, forbid_dumps
from auctionctl.net.child_words import Failed, encode
from auctionctl.net.control import hear_supervisor, send_control
from auctionctl.net.family_log import say, say_defects
from auctionctl.net.own_limits import limit_gateway
from auctionctl.net.pipes import PipeClosedError
from auctionctl.net.sampling import sampled
from auctionctl.views.log_line import Level

EXIT_FAILED: Final = 1
EXIT_STORE_BROKEN: Final = 74
"""EX_IOERR of sysexits.h: durability is unknown, and nobody may start the house again by himself."""


def main(arguments: list[str]) -> int:
    """Run one child; returns its exit status."""
    kind, descriptor = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What is sent to all processes of a service is the supervisor's to understand.
        signal.signal(number, signal.SIG_IGN)
    forbid_core_files()
    say_defects(kind)
    control = socket.socket(fileno=int(descriptor))
    try:
        with sampled(kind):
            _run(kind, control)
    except PipeClosedError:
        return 0
    except MemoryError:
        # Where a process has a limit, that is what its peers can bring it to; another one takes its place.
        say(kind, Level.ERROR, "no_memory", f"the {kind} has run out of memory")
        return EXIT_FAILED
    except AuctionctlError as error:
        _report(kind, control, error)
        # What a cluster holds shows when it answers again, whoever asks; a disk that failed is another matter.
        is_broken = isinstance(error, StoreBrokenError) and not isinstance(error, StoreAwayError)
        return EXIT_STORE_BROKEN if is_broken else EXIT_FAILED
    return 0


def _run(kind: str, control: socket.socket) -> None:
    if kind == "house":
        from auctionctl.net.daemon import HouseProcess  # noqa: PLC0415 - a child imports what it runs, and no more
        from auctionctl.net.house_words import StartHouse, decode_to_house  # noqa: PLC0415

        # The gateway has no more than the transport key, and its descriptors and memory are watched from outside.
        forbid_dumps()
        message, _ = hear_supervisor(control, decode_to_house)
        assert isinstance(message, StartHouse)
        process = HouseProcess(control, message)
        # What is there by now stays: to look through it again and again for garbage would hold bids up by milliseconds.
        gc.collect()
        gc.freeze()
        process.run()
    elif kind == "replayer":
        from auctionctl.net.replaying import run_replayer  # noqa: PLC0415

        run_replayer(control)
    elif kind == "checker":
        from auctionctl.net.checker import run_checker  # noqa: PLC0415

        run_checker(control)
    elif kind == "verifier":
        from auctionctl.net.verifier import Verifier  # noqa: PLC0415

        Verifier(control).run()
    else:
        from auctionctl.net.gateway import Gateway  # noqa: PLC0415

        Gateway(control, limit_gateway).run()


def _report(kind: str, control: socket.socket, error: AuctionctlError) -> None:
    try:
        send_control(control, encode(Failed(type(error).__name__, str(error), error.hint)))
    except PipeClosedError:
        say(kind, Level.ERROR, "failed", str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
