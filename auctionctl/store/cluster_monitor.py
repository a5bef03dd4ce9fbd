"""What each server of a cluster says of itself on its monitoring port: its version, its clock, and whether it syncs.

Rule: whether a server syncs every write before it acknowledges it is no business of its clients, by NATS's own
protocol: no answer to an ordinary account says so. The monitoring port does, so it is asked there; where it does not
answer, nobody knows, and that is said. What it answers is bounded, and believed as the operator's own.
Source: https://docs.nats.io/running-a-nats-service/nats_admin/monitoring (/varz).
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from auctionctl.store.stream_settings import Fault

PATIENCE_S: Final = 2.0
MAX_ANSWER_BYTES: Final = 1 << 20
NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Monitored:
    """One server: ``clock_off_ns`` is how far its clock is ahead of ours, ± half of ``round_trip_ns``."""

    name: str
    version: str
    syncs_always: bool
    clock_off_ns: int
    round_trip_ns: int


@dataclass(frozen=True, slots=True)
class Unmonitored:
    """One of which nothing is known, and why."""

    place: str
    reason: str


class _Config(msgspec.Struct):
    sync_always: bool = False


class _JetStream(msgspec.Struct):
    config: _Config | None = None


class _Varz(msgspec.Struct):
    server_name: str
    version: str
    now: datetime
    jetstream: _JetStream = msgspec.field(default_factory=_JetStream)


# Made here: several threads that are the first to use a type at once are the end of the process, with msgspec 0.19.
_decode = msgspec.json.Decoder(_Varz).decode


def ask_monitors(places: Sequence[tuple[str, int]]) -> list[Monitored | Unmonitored]:
    """What the server at each (host, port) says, in their order; in 2 s, whatever does not answer."""
    if not places:
        return []
    with ThreadPoolExecutor(len(places)) as pool:
        return list(pool.map(lambda place: _ask(*place), places))


def sync_faults(replicas: Collection[str], answers: Sequence[Monitored | Unmonitored]) -> list[Fault]:
    """What keeps ``replicas`` (names of servers) from being known to sync every write before they acknowledge it."""
    known = {each.name: each for each in answers if isinstance(each, Monitored)}
    faults = [
        Fault(
            f"server {name} does not sync what it acknowledges: a power cut can lose it",
            "set sync_interval: always in its jetstream block, and restart it",
            True,
        )
        for name in sorted(replicas)
        if name in known and not known[name].syncs_always
    ]
    unknown = sorted(set(replicas) - set(known))
    if unknown:
        why = "; ".join(f"{each.place}: {each.reason}" for each in answers if isinstance(each, Unmonitored))
        faults.append(
            Fault(
                f"nobody can see whether what is acknowledged is synced by {', '.join(unknown)}"
                + (f" ({why})" if why else ""),
                "let the monitoring port of each server be reached (http: in its settings), and name it: ?monitor=8222",
                True,
            )
        )
    return faults


def _ask(host: str, port: int) -> Monitored | Unmonitored:
    place = f"{host}:{port}"
    try:
        with closing(http.client.HTTPConnection(host, port, timeout=PATIENCE_S)) as connection:
            connection.connect()
            asked_ns, asked_s = time.time_ns(), time.monotonic_ns()
            connection.request("GET", "/varz")
            response = connection.getresponse()
            round_trip_ns = time.monotonic_ns() - asked_s
            answer = response.read(MAX_ANSWER_BYTES)
        varz = _decode(answer)
    except (OSError, http.client.HTTPException) as error:
        return Unmonitored(place, (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower())
    except msgspec.DecodeError:
        return Unmonitored(place, "what answers there is no monitoring port of NATS")
    config = varz.jetstream.config
    middle_ns = asked_ns + round_trip_ns // 2
    now_ns = round(varz.now.timestamp() * NANOSECONDS)
    syncs = bool(config and config.sync_always)
    return Monitored(varz.server_name, varz.version, syncs, now_ns - middle_ns, round_trip_ns)
