"""What is asked of the logs is answered when it is durable; what the house does not hold is said, or passed over."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.house.effects import Fetch, Follow, Page
from auctionctl.house.questions import Questions
from auctionctl.replica.registry import REGISTRY_ID
from auctionctl.wire.messages import List, Read, Subscribe

UNKNOWN = b"u" * 32


@pytest.fixture
def questions(stage: Any) -> Questions:
    house = stage.house
    return Questions(house._outbox, house._clock_heads, house._find)


def test_a_subscription_is_to_what_the_house_holds_and_begins_at_once(stage: Any, questions: Questions) -> None:
    auction = stage.announce()
    registry = stage.house.registry
    found = questions.take(7, Subscribe((UNKNOWN, auction, REGISTRY_ID)), registry.state, 2)
    assert found == [Follow(7, (auction, REGISTRY_ID))]
    assert stage.log(auction).followers == registry.followers == {7}


def test_entries_and_the_catalogue_come_with_the_end_of_the_batch(stage: Any, questions: Questions) -> None:
    auction = stage.announce()
    registry = stage.house.registry.state
    for message in (Read(auction, 1), Read(REGISTRY_ID, 0), List(0)):
        assert questions.take(7, message, registry, 0) == []
    effects = stage.handle()
    assert [(each.log, each.start) for each in effects if isinstance(each, Fetch)] == [
        (stage.log(auction).name, 1),
        ("registry", 0),
    ]
    assert [each.session for each in effects if isinstance(each, Page)] == [7]


def test_a_log_that_is_not_held_or_not_durable_yet_cannot_be_read(
    stage: Any, staging: Any, questions: Questions
) -> None:
    registry = stage.house.registry.state
    (reply,) = staging.replies(questions.take(7, Read(UNKNOWN, 0), registry, 0), 7)
    assert (reply.code, reply.command) == ("no_such_auction", UNKNOWN)
    stage.is_held = True
    auction = stage.announce()
    (reply,) = staging.replies(questions.take(7, Read(auction, 0), registry, 0), 7)
    assert reply.code == "no_such_auction"


def test_an_empty_registry_can_be_read(stage: Any, staging: Any) -> None:
    empty = staging.Stage(allowed=staging.allowed_with())
    assert not empty.house.registry.durable_size
    empty_questions = Questions(empty.house._outbox, empty.house._clock_heads, empty.house._find)
    assert empty_questions.take(7, Read(REGISTRY_ID, 0), empty.house.registry.state, 0) == []
