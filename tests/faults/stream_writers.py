"""Who wrote what in the stream of a house: whether anybody wrote to a log that was another instance's by then.

Read from the messages' own words, and from no code of the store: an ``opened`` says which instance a writer is, a
``claim`` whose a log is from there on, and ``entries`` are to come from whoever that is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from auctionctl.store.cluster_address import ClusterAddress
from auctionctl.store.jetstream import JetStream, Stored
from auctionctl.store.stream_settings import Streams

PATIENCE_S = 30.0


@dataclass(slots=True)
class Writers:
    """What a stream says of its writers."""

    instances: dict[str, str] = field(default_factory=dict)
    """Writer → instance."""
    holders: dict[str, str] = field(default_factory=dict)
    """Subject of a log → the instance that has it."""
    claims: int = 0
    records: int = 0
    stale: list[str] = field(default_factory=list)
    """Each record by a writer whose log it was not any more."""
    repeated: list[str] = field(default_factory=list)
    """Each record whose first entry is not the next one of its log."""
    _sizes: dict[str, int] = field(default_factory=dict)

    def take(self, message: Stored) -> None:
        kind, *words, writer = message.header.split(" ")
        if kind == "opened":
            self.instances[writer] = words[1]
        elif kind == "claim":
            self.claims += 1
            self.holders[message.subject] = words[1]
        elif kind == "entries":
            self.records += 1
            first, count = int(words[1]), int(words[2])
            if self.holders.get(message.subject, self.instances[writer]) != self.instances[writer]:
                self.stale.append(f"{message.sequence}: {message.header}")
            if first != self._sizes.get(message.subject, 0):
                self.repeated.append(f"{message.sequence}: {message.header}")
            self._sizes[message.subject] = first + count


def read_writers(address: ClusterAddress, house: str) -> Writers:
    """What the stream of the house with the signing key ``house`` (hex) says, from its beginning."""
    stream = Streams(house).logs
    link = JetStream(address, PATIENCE_S)
    try:
        last = link.request(f"STREAM.INFO.{stream}")["state"]["last_seq"]
        writers = Writers()
        link.scan(stream, f"{stream}.>", 1, last, writers.take)
    finally:
        link.close()
    return writers
