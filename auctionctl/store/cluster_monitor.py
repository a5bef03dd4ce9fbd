"""What each server of a cluster says of itself on its monitoring port: its version, its clock, and whether it syncs.

Rule: whether a server syncs every write before it acknowledges it is no business of its clients, by NATS's own
protocol: no answer to an ordinary account says so. The monitoring port does, so it is asked there; where it does not
answer, nobody knows, and that is said. What it answers is bounded, and believed as the operator's own.
Source: https://docs.nats.io/running-a-nats-service/nats_admin/monitoring (/varz).
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import Any, Final

import msgspec

from auctionctl.store.stream_settings import Fault

PATIENCE_S: Final = 2.0
MAX_ANSWER_BYTES: Final = 1 << 20
NANOSECONDS: Final = 1_000_000_000
ABSENT_NS: Final = 2 * NANOSECONDS
"""Servers of a cluster hear of one another each second."""


class Monitored(msgspec.Struct, frozen=True):
    """One server: ``clock_off_ns`` is how far its clock is ahead of ours, ± half of ``round_trip_ns``."""

    name: str
    version: str
    syncs_always: bool
    clock_off_ns: int
    round_trip_ns: int


class Unmonitored(msgspec.Struct, frozen=True):
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


class Holders(msgspec.Struct, frozen=True):
    """The names of the servers that hold a stream, and of those among them that the others have not heard of lately."""

    names: frozenset[str]
    absent: frozenset[str] = frozenset()


def holders_of(info: Mapping[str, Any]) -> Holders:
    """Who holds the stream of which ``info`` is what the cluster says; nobody, where one server is no cluster."""
    cluster = info.get("cluster") or {}
    replicas = cluster.get("replicas") or ()
    names = {cluster.get("leader", ""), *(each["name"] for each in replicas)} - {""}
    # In a stream that was made just now nobody has been heard of yet.
    absent = set() if info.get("did_create") else {each["name"] for each in replicas if _is_absent(each)}
    return Holders(frozenset(names), frozenset(absent))


def _is_absent(replica: Mapping[str, Any]) -> bool:
    return bool(replica.get("offline") or not replica.get("current") or replica.get("active", 0) > ABSENT_NS)


def find_unseen(holders: Holders, answers: Sequence[Monitored | Unmonitored]) -> list[str]:
    """Those of ``holders`` of which it ought to be known, and is not, whether they sync.

    What is acknowledged has been synced by more than half of them: where so many are known to, one that is down, and of
    which so nothing can be known, keeps no house from going on.
    """
    known = {each.name: each.syncs_always for each in answers if isinstance(each, Monitored)}
    are_enough = 2 * sum(known.get(name, False) for name in holders.names) > len(holders.names)
    return sorted(holders.names - set(known) - (holders.absent if are_enough else set()))


def sync_faults(holders: Holders, answers: Sequence[Monitored | Unmonitored]) -> list[Fault]:
    """What keeps ``holders`` from being known to sync every write before they acknowledge it."""
    replicas = holders.names
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
    unknown = find_unseen(holders, answers)
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
