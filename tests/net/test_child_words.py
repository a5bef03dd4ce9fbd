"""What children of every kind are told arrives as it was said, and nobody imports what only others are told."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from auctionctl.net.child_words import GatewayPipe, HousePipe, Stop, decode_to_verifier, encode
from auctionctl.net.gateway_orders import Drain


@pytest.mark.parametrize("message", [GatewayPipe(), GatewayPipe(1 << 32, "second"), HousePipe(), Stop()])
def test_a_message_to_a_verifier_arrives_as_it_was_said(message: GatewayPipe | HousePipe | Stop) -> None:
    assert decode_to_verifier(encode(message)) == message


def test_what_is_another_childs_to_hear_is_not_taken() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_to_verifier(encode(Drain()))


@pytest.mark.parametrize(
    ("module", "foreign"),
    [
        ("auctionctl.net.verifier", ("auction.auction", "house", "replica", "store", "bidding", "wire.messages")),
        ("auctionctl.net.checker", ("auction", "house", "replica", "store", "bidding", "wire.messages")),
        ("auctionctl.net.gateway", ("auction.auction", "house.auction_log", "replica", "store.sqlite", "bidding")),
    ],
)
def test_a_process_imports_what_it_needs_and_so_is_there_at_once(module: str, foreign: tuple[str, ...]) -> None:
    code = f"import sys, auctionctl.net.child, {module}; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(shown.stdout.split())
    assert module in loaded
    assert not {f"auctionctl.{each}" for each in foreign} & loaded
