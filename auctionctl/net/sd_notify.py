"""What a house says to systemd, or to whoever else speaks its protocol: ready, reloading, stopping, alive.

Rule: one datagram a message to the socket named in NOTIFY_SOCKET, which may be abstract; a house that nobody watches
says nothing, and one whose watcher does not listen goes on. The variables are taken out of the environment, so that no
child speaks in the house's name. Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final

SOCKET_VARIABLE: Final = "NOTIFY_SOCKET"
WATCHDOG_VARIABLE: Final = "WATCHDOG_USEC"
WATCHDOG_PID_VARIABLE: Final = "WATCHDOG_PID"
MICROSECONDS: Final = 1_000_000


class Notifier:
    """One end towards the service manager. ``watchdog_s`` is how often it wants a sign of life, or None."""

    def __init__(self, address: str = "", watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s
        self._socket: socket.socket | None = None
        # An abstract address is written with @ in place of the zero byte; other kinds of sockets are not for us.
        if address[:1] in ("/", "@"):
            self._address = "\0" + address[1:] if address[0] == "@" else address
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)

    def ready(self) -> None:
        """Bidders can connect; also the end of a reload."""
        self._say("READY=1")

    def status(self, text: str) -> None:
        """One line for people who ask how the service is."""
        self._say("STATUS=" + text.replace("\n", " "))

    def reloading(self) -> None:
        """Settings are being read again; :meth:`ready` says when that is done, whatever came of it."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """A sign of life."""
        self._say("WATCHDOG=1")

    def close(self) -> None:
        """Say nothing more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _say(self, text: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendto(text.encode(), self._address)
        except OSError:
            # A manager that is gone, or behind, is no reason to stop an auction.
            return


def take_notifier(environment: MutableMapping[str, str] = os.environ) -> Notifier:
    """The service manager of this process, taken out of its environment; one that hears nothing if there is none."""
    address = environment.pop(SOCKET_VARIABLE, "")
    microseconds = environment.pop(WATCHDOG_VARIABLE, "")
    watched = environment.pop(WATCHDOG_PID_VARIABLE, "")
    is_ours = not watched or watched == str(os.getpid())
    watchdog_s = int(microseconds) / MICROSECONDS if microseconds.isascii() and microseconds.isdigit() else None
    return Notifier(address, watchdog_s or None if is_ours else None)
