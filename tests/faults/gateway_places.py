"""At which gateway of a house a connection is: read off the descriptors of their processes, from outside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from house_process import HouseInProcesses, until

ESTABLISHED = "01"


def names_of(house: HouseInProcesses) -> list[str]:
    return [name for name in house.pids if name.startswith("gateway ")]


def connections(house: HouseInProcesses) -> dict[str, set[str]]:
    """Gateway → the inodes of its open connections."""
    house.hear()
    at_the_port = set(_open_at(house.address.port))
    return {name: at_the_port & set(_sockets_of(house.pids[name])) for name in names_of(house)}


def place_of(house: HouseInProcesses, connect: Callable[[], Any]) -> str:
    """The gateway to which ``connect`` leads, while nobody else comes or goes."""
    before = connections(house)
    connect()

    def found() -> str | None:
        now = connections(house)
        return next((name for name in now if now[name] - before[name]), None)

    return str(until(found, "the connection"))


def _open_at(port: int) -> Iterator[str]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == ESTABLISHED:
            yield fields[9]


def _sockets_of(pid: int) -> Iterator[str]:
    with suppress(FileNotFoundError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:["):
                    yield target[8:-1]
