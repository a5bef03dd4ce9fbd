"""No bit of a signed message can be flipped: whichever it is, the message is refused and nothing has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from scenes import SCENES, scene, send, state

from auctionctl.wire.frames import Message


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("name", SCENES)
def test_every_single_bit_of_a_signed_message_is_bound(
    staging: Any, say_at_the_end: Callable[[str], None], name: str
) -> None:
    stage, session, message, key, _ = scene(staging, name)
    transport = key.identity.transport
    before = state(stage)
    outcomes: Counter[str] = Counter()
    for bit in range(0, len(message.body) * 8):
        outcome = send(stage, session, Message(flipped(message.body, bit), message.signature), transport)
        assert outcome, bit
        outcomes[outcome[0]] += 1
        assert bit % 64 or state(stage) == before, bit
    for bit in range(0, len(message.signature) * 8):
        outcome = send(stage, session, Message(message.body, flipped(message.signature, bit)), transport)
        assert outcome == ["forged"], bit
        outcomes["forged"] += 1
    assert state(stage) == before
    assert set(outcomes) <= {"forged", "unknown_type", "no_session"}
    assert send(stage, session, message, transport) == [], "unspoilt, it is accepted"
    assert state(stage) != before
    if name == "bid":
        say_at_the_end(f"bit flips of a signed bid: {sum(outcomes.values())}, all refused: {dict(outcomes)}")
