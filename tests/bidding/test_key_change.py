"""Whoever revokes or replaces a key, against a real house on a virtual clock: until its registry says so, and once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auctionctl.auction.command_id import command_id
from auctionctl.bidding.key_change import FINAL_CODES, RETRY_NS, KeyChange
from auctionctl.bidding.revoking import Revoker
from auctionctl.bidding.rotating import Rotator, find_rotation
from auctionctl.wire.frames import Message, message_type
from auctionctl.wire.messages import Refused, encode

KINDS = ("revoke", "rotate")


@pytest.fixture
def change(world: Any, secret_key: Any) -> Callable[..., Any]:
    """A line of ann, who revokes her key or puts another in its place."""

    def begin(kind: str, name: str = "ann", target: str = "") -> Any:
        key, house = secret_key(name), world.house.identity
        agent: KeyChange = Rotator(key, secret_key(f"{name}2"), house)
        if kind == "revoke":
            agent = Revoker(key, house, secret_key(target or name).identity.signing)
        return world.add_agent(name, agent)

    return begin


def sent(line: Any, kind: str) -> list[bytes]:
    return [message.body for message in line.sent if message_type(message.body) == kind]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_done_once_the_registry_says_so_under_a_checkpoint(world: Any, change: Any, kind: str) -> None:
    line = change(kind)
    world.run(lambda: line.agent.is_done)
    state = world.house.registry.state
    assert line.agent.entry_index == state.size - 1
    assert line.agent.refusal is None
    assert len(sent(line, kind)) == 1
    assert (len(state.revoked), len(state.rotated)) == ((1, 0) if kind == "revoke" else (0, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_lost_is_sent_again_as_the_same_bytes_and_entered_once(world: Any, change: Any, kind: str) -> None:
    line = change(kind)
    lost: list[Any] = []

    def loses(message: Any) -> bool:
        if message_type(message.body) == kind and len(lost) < 2:
            lost.append(message)
            return True
        return False

    line.loses = loses
    started_ns = world.now_ns
    world.run(lambda: line.agent.is_done)
    bodies = sent(line, kind)
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    assert world.now_ns - started_ns >= 2 * RETRY_NS
    assert len(world.house.registry.state.revoked) + len(world.house.registry.state.rotated) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_there_already_is_not_asked_for_again(world: Any, change: Any, secret_key: Any, kind: str) -> None:
    first = change(kind)
    world.run(lambda: first.agent.is_done)
    index = first.agent.entry_index
    # Whoever may look at the registry finds it there: a revoked or replaced key may not.
    house, onlooker = world.house.identity, secret_key("ben")
    again: KeyChange = Revoker(onlooker, house, secret_key("ann").identity.signing)
    if kind == "rotate":
        again = Rotator(onlooker, secret_key("ben2"), house)
        again._old, again._new = (secret_key(name).identity.signing for name in ("ann", "ann2"))
    line = world.add_agent("ben", again)
    world.run(lambda: line.agent.is_done)
    assert line.agent.entry_index == index
    assert sent(line, kind) == []


def test_what_a_house_refuses_for_good_is_the_end_and_its_words_are_told(
    world: Any, change: Any, secret_key: Any
) -> None:
    line = change("revoke", "ann", "ben")
    world.run(lambda: line.agent.is_done)
    assert line.agent.entry_index is None
    assert (line.agent.refusal.code, len(sent(line, "revoke"))) == ("not_revoked", 1)
    assert "only its holder or an operator" in line.agent.refusal.message
    assert secret_key("ben").identity.signing not in world.house.registry.state.revoked


@pytest.mark.parametrize("kind", KINDS)
def test_a_house_without_room_is_asked_again_and_the_delay_is_told(world: Any, change: Any, kind: str) -> None:
    line = change(kind)
    held: list[Any] = []
    line.loses = lambda message: message_type(message.body) == kind and bool(held.append(message) or True)
    world.run(lambda: held)
    (message, *_), line.loses = held, lambda _: False
    full = Refused("store_full", "no room", command_id(message.body), 10**9)
    line.agent.receive(Message(encode(full)), world.now_ns)
    assert not line.agent.is_done
    assert line.agent.delay == full
    assert "store_full" not in FINAL_CODES
    world.run(lambda: line.agent.is_done)
    assert line.agent.entry_index is not None


def test_after_a_lost_connection_the_registry_is_read_before_anything_is_sent(world: Any, change: Any) -> None:
    line = change("rotate")
    world.run(lambda: line.agent.was_sent)
    line.agent.disconnected()
    line.agent.handle_timer(world.now_ns + 10 * RETRY_NS)
    assert line.agent.take_outgoing() == []
    assert not line.agent.is_done


def test_only_the_link_from_the_one_key_to_the_other_is_the_rotation(world: Any, change: Any, secret_key: Any) -> None:
    line = change("rotate")
    world.run(lambda: line.agent.is_done)
    registry = world.house.registry.state
    ann, new, ben = (secret_key(name).identity.signing for name in ("ann", "ann2", "ben"))
    assert find_rotation(registry, ann, new) == registry.size - 1
    for old, other in ((ann, ben), (new, ann), (ben, new), (ann, ann)):
        assert find_rotation(registry, old, other) is None
