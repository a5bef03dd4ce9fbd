"""How the two streams of a house are set up, and what is wrong with one that is there.

Rule: nothing in a stream goes away or is replaced, and every read comes from the leader. What would make the log a
lie is refused whatever is allowed; what merely can lose it may be allowed by whoever bears the loss. Source: DESIGN.md
section 9; https://docs.nats.io/nats-concepts/jetstream/streams.

``auction-<16 hex digits of the house's key>`` has every record of every log; ``…-alive`` has the last sign of life of
each instance, one message a subject, as a sign each second would fill the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from auctionctl.errors import ConfigurationError

REPLICAS: Final = 3
DUPLICATE_WINDOW_NS: Final = 120 * 1_000_000_000
HOUSE: Final = "auctionctl-house"
"""The key in a stream's metadata that says whose it is."""
_SHARED: Final = {
    "retention": "limits",
    "storage": "file",
    "max_msgs": -1,
    "max_bytes": -1,
    "max_age": 0,
    "max_consumers": -1,
    "max_msg_size": -1,
    "allow_direct": False,
    "mirror_direct": False,
    "deny_delete": True,
    "deny_purge": True,
    "allow_rollup_hdrs": False,
    "sealed": False,
    "no_ack": False,
    "compression": "none",
    "allow_msg_ttl": False,
    "duplicate_window": DUPLICATE_WINDOW_NS,
}
_LOGS: Final = {"max_msgs_per_subject": -1, "discard": "new", "allow_atomic": True}
_SIGNS: Final = {"max_msgs_per_subject": 1, "discard": "old"}
_MAY_DIFFER: Final = frozenset({"compression", "duplicate_window"})
"""What may be set otherwise: neither loses nor changes anything."""
_LOSSY: Final = frozenset({"storage", "deny_delete", "deny_purge", "allow_rollup_hdrs"})
"""What may be allowed by whoever bears the loss."""
_FIXED: Final = frozenset({"storage", "sealed", "allow_msg_ttl"})
"""What a server changes in no stream that is there, once it is otherwise than here; nor a retention "workqueue"."""
_DURATIONS: Final = frozenset({"max_age", "duplicate_window"})
_UNITS: Final = (
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("µs", 1_000),
)
_ABSENT: Final = {"no_ack": False, "max_msgs_per_subject": -1, "allow_atomic": False}


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and what mends it; ``is_loss`` if it is no more than what may be lost."""

    reason: str
    remedy: str
    is_loss: bool


class Streams(msgspec.Struct, frozen=True):
    """The two streams of the house with this signing key (hex)."""

    house: str

    @property
    def logs(self) -> str:
        """The stream of every record of every log."""
        return f"auction-{self.house[:16]}"

    @property
    def signs(self) -> str:
        """The stream of signs of life."""
        return f"{self.logs}-alive"

    def settings(self, stream: str, replicas: int) -> dict[str, Any]:
        """What ``stream`` is to be created with."""
        return {
            "name": stream,
            "subjects": [f"{stream}.>"],
            "num_replicas": replicas,
            "metadata": {HOUSE: self.house},
            **_SHARED,
            **(_LOGS if stream == self.logs else _SIGNS),
        }

    def check_owner(self, stream: str, found: Mapping[str, Any]) -> None:
        """Raises ConfigurationError if the stream with the settings ``found`` is another house's, or no house's."""
        owner = (found.get("metadata") or {}).get(HOUSE, "")
        if owner != self.house:
            whose = f"that of another house, with the key {str(owner)[:16]}…" if owner else "of no house"
            raise ConfigurationError(
                f"the stream {stream} of this cluster is {whose}",
                hint="serve it with its own key, or give this house another cluster or account",
            )

    def faults(self, stream: str, found: Mapping[str, Any]) -> list[Fault]:
        """What is wrong with the settings ``found`` of ``stream``."""
        faults = []
        wanted = self.settings(stream, REPLICAS)
        for name in sorted(set(wanted) - {"name", "metadata", "num_replicas"} - _MAY_DIFFER):
            is_now = found.get(name, _ABSENT.get(name))
            if is_now != wanted[name]:
                faults.append(
                    Fault(
                        f"the stream {stream} has {name} {_text(name, is_now)}, not {_text(name, wanted[name])}",
                        _remedy(stream, name, is_now),
                        name in _LOSSY,
                    )
                )
        replicas = found.get("num_replicas", 1)
        if replicas < REPLICAS:
            faults.append(
                Fault(
                    f"the stream {stream} has {replicas} replica{'' if replicas == 1 else 's'}, not {REPLICAS}",
                    f"give it {REPLICAS}, see auctionctl-cluster(7): nats stream edit {stream} --replicas {REPLICAS}",
                    True,
                )
            )
        return faults


def _remedy(stream: str, name: str, is_now: object) -> str:
    if name in _FIXED or (name == "retention" and is_now == "workqueue"):
        return (
            "NATS cannot change that, see auctionctl-cluster(7): restore a backup in which it is right, or, if nothing"
            f" in it is needed, have it made anew: nats stream rm {stream}"
        )
    return f"set it right, see auctionctl-cluster(7): nats stream edit {stream} --interactive"


def _text(name: str, value: object) -> str:
    if value is None:
        return "unset"
    if name in _DURATIONS and isinstance(value, int):
        return _duration(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _duration(nanoseconds: int) -> str:
    """In the largest unit in which it is a whole number."""
    if not nanoseconds:
        return "0 s"
    return next(
        (f"{nanoseconds // size} {unit}" for unit, size in _UNITS if not nanoseconds % size), f"{nanoseconds} ns"
    )
