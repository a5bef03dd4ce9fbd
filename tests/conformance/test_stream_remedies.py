"""What is said to mend a stream that is set up otherwise, a real server does; and what it does not is not said to."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import pytest
from nats_cluster import require_cluster
from secured_server import SecuredServer

from auctionctl.store.cluster_address import parse_cluster_address
from auctionctl.store.jetstream import JetStream
from auctionctl.store.stream_settings import Streams


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JetStream]:
    require_cluster()
    server = SecuredServer(tmp_path_factory.mktemp("remedies") / "s", "")
    opened = JetStream(parse_cluster_address(server.url()), 10.0)
    yield opened
    opened.close()
    server.stop()


@pytest.mark.parametrize(
    ("name", "value", "can_be_mended"),
    [
        ("storage", "memory", False),
        ("retention", "workqueue", False),
        ("retention", "interest", True),
        ("sealed", True, False),
        ("allow_msg_ttl", True, False),
        ("max_age", 3_600_000_000_000, True),
        ("max_msgs", 10, True),
        ("max_bytes", 1 << 20, True),
        ("max_consumers", 5, True),
        ("max_msg_size", 1 << 20, True),
        ("max_msgs_per_subject", 1, True),
        ("discard", "old", True),
        ("allow_direct", True, True),
        ("allow_atomic", False, True),
        ("allow_rollup_hdrs", True, True),
        ("deny_delete", False, True),
        ("deny_purge", False, True),
        ("no_ack", True, True),
        ("subjects", ["other.>"], True),
    ],
)
def test_a_setting_is_to_be_edited_where_a_server_lets_it_and_only_there(
    link: JetStream, name: str, value: Any, can_be_mended: bool
) -> None:
    # Of a house of its own: a server has not always forgotten a stream when it says that it has.
    streams = Streams(token_hex(32))
    stream = streams.logs
    wanted = streams.settings(stream, 1)
    # Nobody can make a stream that is sealed, and none with roll-ups that cannot be purged.
    begun = {**wanted, name: value, "sealed": False}
    begun |= {"deny_purge": False} if name == "allow_rollup_hdrs" else {}
    made = link.request(f"STREAM.CREATE.{stream}", begun)
    if name == "sealed":
        made = link.request(f"STREAM.UPDATE.{stream}", {**wanted, name: value})
    assert "error" not in made
    found = [fault for fault in streams.faults(stream, made["config"]) if f" has {name} " in fault.reason]
    mended = link.request(f"STREAM.UPDATE.{stream}", wanted)
    link.request(f"STREAM.DELETE.{stream}")
    assert len(found) == 1
    assert ("error" not in mended) is can_be_mended
    said = "nats stream edit" if can_be_mended else "have it made anew: nats stream rm"
    assert f"{said} {stream}" in found[0].remedy
    assert ("NATS cannot change that" in found[0].remedy) is not can_be_mended
