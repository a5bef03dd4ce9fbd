"""The streams of a house in a cluster: found or made, and refused where they or the servers may lose what they hold.

Rule: what makes the log a lie is refused whatever is allowed; what merely can lose it, unless whoever bears the loss
allows it; what nobody can see counts as what can lose it. Source: DESIGN.md section 9.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from auctionctl.errors import ConfigurationError, StoreError
from auctionctl.store.cluster_address import ClusterAddress, Durability
from auctionctl.store.cluster_monitor import (
    NANOSECONDS,
    Holders,
    Monitored,
    ask_monitors,
    find_unseen,
    holders_of,
    sync_faults,
)
from auctionctl.store.cluster_presence import find_silent
from auctionctl.store.jetstream import STREAM_NOT_FOUND, Answer, JetStream
from auctionctl.store.stream_settings import REPLICAS, Fault, Streams

ABSENCE_S: Final = 5.0
"""By then a cluster has missed a server that went down."""
LOOK_AGAIN_S: Final = 0.25
MIN_VERSION: Final = (2, 12, 1)
"""From here on batches are atomic, and messages of a batch are known again."""
START_HINT: Final = "start them: streams are made when two of three run"
_NO_PEERS: Final = 10005
_NO_REPLICAS: Final = frozenset({_NO_PEERS, 10074})
"""The second one says that a server is in no cluster at all."""


class ClusterStreams:
    """The streams of the house that ``streams`` names, by way of ``link``."""

    def __init__(self, link: JetStream, streams: Streams) -> None:
        self._link = link
        self._streams = streams

    def check(self, address: ClusterAddress, durability: Durability) -> tuple[Fault, ...]:
        """See that both are there and fit, or make them; returns what is wrong with the cluster, and was allowed.

        Raises ConfigurationError for what makes the cluster unfit, and for what may be lost, unless allowed.
        """
        version = self._link.server_version
        if version_numbers(version) < MIN_VERSION:
            raise ConfigurationError(
                f"the cluster runs nats-server {version}: batches are atomic from {dotted(MIN_VERSION)} on",
                hint="upgrade its servers, one after the other",
            )
        faults: list[Fault] = []
        infos = self._find_or_make(address, durability)
        for stream, info in infos.items():
            self._streams.check_owner(stream, info["config"])
            faults += self._streams.faults(stream, info["config"])
        faults += self._sync_faults(infos, address)
        for fault in faults:
            if not (fault.is_loss and durability is Durability.LOSSY):
                remedy = f"{fault.remedy}, or accept the loss: --allow-lossy" if fault.is_loss else fault.remedy
                raise ConfigurationError(fault.reason, hint=remedy)
        return tuple(faults)

    def infos(self) -> dict[str, Answer]:
        """What the cluster says of each of the two."""
        return self._ask_each("INFO", dict.fromkeys((self._streams.logs, self._streams.signs)))

    def states(self, patience_s: float = ABSENCE_S) -> dict[str, Answer]:
        """What each of the two holds. Raises StoreError where the cluster has an error to say instead.

        A server need not know yet what was made a moment ago by way of another: it is asked again for so long.
        """
        deadline_s = time.monotonic() + patience_s
        infos = self.infos()
        while STREAM_NOT_FOUND in map(_error_of, infos.values()) and time.monotonic() < deadline_s:
            time.sleep(LOOK_AGAIN_S)
            infos = self.infos()
        for stream, info in infos.items():
            if error := info.get("error"):
                raise StoreError(
                    f"the stream {stream} cannot be read: {error.get('description')}",
                    hint="see: auctionctl doctor --store",
                )
        return {stream: info["state"] for stream, info in infos.items()}

    def time_ns(self) -> int | None:
        """What time it is by the server that leads the signs of life, as it answers; None where it does not say."""
        said = self.infos()[self._streams.signs].get("ts")
        return None if said is None else round(datetime.fromisoformat(said).timestamp() * NANOSECONDS)

    def _sync_faults(self, infos: Mapping[str, Answer], address: ClusterAddress) -> list[Fault]:
        """Whether the servers with our streams sync; one that went down a moment ago is given time to be missed."""
        deadline_s = time.monotonic() + ABSENCE_S
        while True:
            answers = ask_monitors(address.monitors)
            if not any(isinstance(each, Monitored) for each in answers):
                deadline_s = 0.0  # Nobody is to be asked at all: there is nothing to wait for.
            # A server by itself says of no stream where it is.
            alone = Holders(frozenset(each.name if isinstance(each, Monitored) else each.place for each in answers))
            found = [holders if (holders := holders_of(info)).names else alone for info in infos.values()]
            unseen = {name for holders in found for name in find_unseen(holders, answers)}
            if not unseen or time.monotonic() >= deadline_s:
                if unseen and all(unseen & holders.names <= holders.absent for holders in found):
                    raise self._link.away(f"too many of its servers are down: {', '.join(sorted(unseen))}")
                faults = [fault for holders in found for fault in sync_faults(holders, answers)]
                return list(dict.fromkeys(faults))
            time.sleep(LOOK_AGAIN_S)
            infos = self._ask_each("INFO", dict.fromkeys(infos))

    def _find_or_make(self, address: ClusterAddress, durability: Durability) -> dict[str, Answer]:
        """What the cluster says of each of the two streams; those that are missing are made."""
        found = self.infos()
        missing = [stream for stream, answer in found.items() if _error_of(answer) == STREAM_NOT_FOUND]
        found |= self._make(missing, REPLICAS)
        if any(_error_of(answer) in _NO_REPLICAS for answer in found.values()):
            if durability is Durability.REQUIRED:
                lacks_peers = any(_error_of(answer) == _NO_PEERS for answer in found.values())
                if lacks_peers and (silent := find_silent(address.servers)):
                    # Not that there are too few of them: with fewer replicas the house would be worse off for good.
                    raise self._link.away(f"too many of its servers are down: {', '.join(silent)}", START_HINT)
                raise ConfigurationError(
                    f"the cluster has no {REPLICAS} servers for {REPLICAS} replicas",
                    hint=f"run {REPLICAS} servers with JetStream in one cluster, or accept the loss: --allow-lossy",
                )
            found |= self._make(missing, 1)
        for stream, answer in found.items():
            if error := answer.get("error"):
                raise StoreError(
                    f"the cluster has no stream {stream} for us: {error.get('description')}",
                    hint="JetStream must be on for this account, with room for the stream",
                )
        return found

    def _make(self, streams: Sequence[str], replicas: int) -> dict[str, Answer]:
        return self._ask_each("CREATE", {stream: self._streams.settings(stream, replicas) for stream in streams})

    def _ask_each(self, what: str, contents: Mapping[str, Answer | None]) -> dict[str, Answer]:
        """What the cluster answers to STREAM.``what`` of each stream."""
        asked = {f"STREAM.{what}.{stream}": content for stream, content in contents.items()}
        return dict(zip(contents, self._link.request_all(asked).values(), strict=True))


def _error_of(answer: Answer) -> int:
    """The code of the error that ``answer`` says; 0 for none."""
    return int((answer.get("error") or {}).get("err_code", 0))


def version_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a server's version, such as ``2.12.1-RC.1``."""
    numbers = text.partition("-")[0].split(".")
    return tuple(int(number) for number in numbers if number.isdigit())


def dotted(version: tuple[int, ...]) -> str:
    """The numbers of a version as people write them."""
    return ".".join(map(str, version))
