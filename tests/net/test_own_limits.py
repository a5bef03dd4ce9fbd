"""A gateway takes the descriptors that it needs and no more memory than it may, whatever its peers ask of it."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from auctionctl.net import own_limits

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much is mapped, and keeps this limit")


@pytest.mark.parametrize("connections", [0, 256, 3_000])
def test_a_gateway_may_have_as_many_descriptors_as_its_connections_need(connections):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(8_192, 4 * connections)
    if before[1] != resource.RLIM_INFINITY:
        wanted = min(wanted, before[1])
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, wanted), before[1]))
        for _ in range(2):
            own_limits.raise_descriptor_limit(connections)
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == wanted
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def limited(code: str) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in a process that has the limits of a gateway."""
    limit = "from auctionctl.net.own_limits import limit_gateway; import zmq; limit_gateway(256)\n"
    return subprocess.run([sys.executable, "-c", limit + code], capture_output=True, text=True, check=False, timeout=60)


@LINUX
def test_a_gateway_has_as_much_memory_as_it_may_and_not_more():
    assert limited("bytearray(200 << 20)").returncode == 0
    assert "MemoryError" in limited("bytearray(260 << 20)").stderr


@LINUX
def test_more_connections_have_more_memory():
    fresh = "from auctionctl.net.own_limits import limit_memory; import zmq; limit_memory(1_024); bytearray(260 << 20)"
    assert subprocess.run([sys.executable, "-c", fresh], check=False, timeout=60).returncode == 0


def test_where_a_system_does_not_say_what_is_mapped_there_is_no_limit(monkeypatch, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_AS)
    monkeypatch.setattr(own_limits, "_SIZES", tmp_path / "statm")
    own_limits.limit_memory(256)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
