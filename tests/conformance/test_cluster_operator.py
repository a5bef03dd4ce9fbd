"""What the manual has an operator do with a house's stream, its second user may do, and that of the house may not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nats_cluster import require_cluster
from secured_server import USER, SecuredServer, seed_text

from auctionctl.cli.manual.cluster_access import PERMISSIONS_EXAMPLE
from auctionctl.errors import StoreAwayError
from auctionctl.keys.nkey import UserKey
from auctionctl.store.cluster_access import ClusterAccess
from auctionctl.store.cluster_address import Durability, parse_cluster_address
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.jetstream import JetStream
from auctionctl.store.log_store import Append
from auctionctl.store.stream_settings import Streams

HOUSE = "0b" * 32
STREAM = Streams(HOUSE).logs
SEEDS = {"PUBLIC": b"h" * 32, "OPERATOR": b"o" * 32}
_chance = Random(1)
ENTRIES = tuple(_chance.randbytes(1000) for _ in range(500))
PATIENCE_S = 10.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SecuredServer]:
    require_cluster()
    settings = PERMISSIONS_EXAMPLE.replace("KEY", HOUSE[:16])
    for name, seed in SEEDS.items():
        settings = settings.replace(name, UserKey(seed).public)
    running = SecuredServer(tmp_path / "s", settings)
    yield running
    running.stop()


@pytest.fixture
def access(tmp_path: Path) -> dict[str, ClusterAccess]:
    for name, seed in SEEDS.items():
        (tmp_path / name).write_text(seed_text(USER, seed))
        (tmp_path / name).chmod(0o600)
    return {name: ClusterAccess(str(tmp_path / name)) for name in SEEDS}


def back_up(link: JetStream) -> tuple[dict[str, Any], list[bytes]]:
    """As ``nats stream backup --no-consumers`` does: what the server says of the stream, and its content in chunks."""
    answer: dict[str, Any] = {}
    chunks: list[bytes] = []
    acknowledged: list[str] = []

    async def take() -> None:
        inbox = link.client.new_inbox()
        chunk = await link.client.subscribe(inbox)
        wanted = {"deliver_subject": inbox, "no_consumers": True, "chunk_size": 4096, "window_size": 65536}
        answer.update(
            json.loads(
                (await link.client.request(f"$JS.API.STREAM.SNAPSHOT.{STREAM}", json.dumps(wanted).encode())).data
            )
        )
        while (message := await chunk.next_msg(PATIENCE_S)).data:
            chunks.append(message.data)
            if message.reply:
                acknowledged.append(message.reply)
                await link.client.publish(message.reply)

    link.spawn(take()).result()
    assert acknowledged
    return answer, chunks


def restore(link: JetStream, backup: dict[str, Any], chunks: list[bytes]) -> dict[str, Any]:
    """As ``nats stream restore`` does; what the server says in the end."""
    said: dict[str, Any] = {}

    async def give() -> None:
        wanted = json.dumps({"config": backup["config"], "state": backup["state"]}).encode()
        begun = json.loads((await link.client.request(f"$JS.API.STREAM.RESTORE.{STREAM}", wanted)).data)
        for chunk in (*chunks, b""):
            answer = await link.client.request(begun["deliver_subject"], chunk, timeout=PATIENCE_S)
        said.update(json.loads(answer.data))

    link.spawn(give()).result()
    return said


def test_an_operator_backs_up_restores_and_edits_what_a_house_may_not(
    server: SecuredServer, access: dict[str, ClusterAccess]
) -> None:
    def opened() -> ClusterStore:
        address = parse_cluster_address(server.url(), access["PUBLIC"])
        return ClusterStore(address, HOUSE, durability=Durability.LOSSY, patience_s=PATIENCE_S)

    store = opened()
    store.append([Append("registry", 0, ENTRIES)], 1)
    house = JetStream(parse_cluster_address(server.url(), access["PUBLIC"]), 0.25)
    for what in ("SNAPSHOT", "RESTORE", "UPDATE", "DELETE", "PURGE"):
        with pytest.raises(StoreAwayError, match=f"permissions violation.*stream.{what.lower()}"):
            house.request(f"STREAM.{what}.{STREAM}")
    house.close()

    operator = JetStream(parse_cluster_address(server.url(), access["OPERATOR"]), PATIENCE_S)
    backup, chunks = back_up(operator)
    assert len(chunks) > 1
    # Each so many chunks are to be acknowledged, or the server sends no more.
    assert f'nkey:{UserKey(SEEDS["OPERATOR"]).public}" - Publish Violation' not in server.log.read_text()
    store.append([Append("registry", len(ENTRIES), (b"lost",))], 2)
    store.close()
    assert operator.request(f"STREAM.DELETE.{STREAM}")["success"]
    assert "error" not in restore(operator, backup, chunks)
    store = opened()
    assert tuple(store.read("registry")) == ENTRIES
    store.append([Append("registry", len(ENTRIES), (b"another",))], 3)
    store.close()
    edited = operator.request(f"STREAM.UPDATE.{STREAM}", {**backup["config"], "max_age": 3_600_000_000_000})
    assert edited["config"]["max_age"] == 3_600_000_000_000
    assert "error" not in operator.request(f"STREAM.UPDATE.{STREAM}", backup["config"])
    operator.close()
    opened().close()
