"""Signs of life: whoever signs learns of what stands in the place of its next sign, be it told of it before or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from auctionctl.errors import StoreError
from auctionctl.store.cluster_signs import ClusterSigns
from auctionctl.store.jetstream import PlaceTakenError, Stored
from auctionctl.store.stream_records import Alive, Message


class Link:
    """A stream in memory: a message goes behind its subject's last, or is refused."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []

    def commit(self, _stream: str, messages: Sequence[Message]) -> int:
        for each in messages:
            last = self.find_last("", each.subject)
            if (found := 0 if last is None else last.sequence) != each.behind:
                raise PlaceTakenError(each.subject, found)
            self.stored.append(Stored(len(self.stored) + 1, each.subject, each.header, each.id, each.payload))
        return len(self.stored)

    def find_last(self, _stream: str, subject: str) -> Stored | None:
        return next((each for each in reversed(self.stored) if each.subject == subject), None)


def opened(link: Any, instance: str, writer: str) -> ClusterSigns:
    """As a process that has just come knows it: all that there is."""
    signs = ClusterSigns(link, "s", instance, writer)
    return hear(signs, link)


def hear(signs: ClusterSigns, link: Link) -> ClusterSigns:
    for message in link.stored[signs.position :]:
        signs.take(message)
    return signs


def test_whoever_hears_that_it_was_deposed_still_learns_of_it_at_its_next_sign() -> None:
    link = Link()
    one = opened(link, "one", "1")
    assert one.put(Alive(5, "h:1", 3, latest_ns=7))
    two = opened(link, "two", "2")
    assert two.depose("one")
    hear(one, link)
    assert one.position == 2
    assert not one.put(Alive(6, "h:1", 3))
    assert one.signs["one"].is_deposed
    # It has learned of it, and holds nothing any more: it may sign again, for all that it has ever signed for.
    assert one.put(Alive(6, "h:1", 0))
    assert not one.signs["one"].is_deposed
    assert hear(two, link).signs["one"].latest_ns == 7


def test_whoever_hears_that_it_was_deposed_again_and_again_learns_of_it_once() -> None:
    link = Link()
    one = opened(link, "one", "1")
    assert one.put(Alive(5))
    two = opened(link, "two", "2")
    assert two.depose("one")
    assert two.depose("one")
    hear(one, link)
    assert not one.put(Alive(6))
    assert one.put(Alive(6))


def test_of_two_processes_under_one_name_the_one_that_hears_of_the_other_finds_it_out() -> None:
    link = Link()
    one = opened(link, "same", "1")
    assert one.put(Alive(5))
    again = opened(link, "same", "2")
    assert again.put(Alive(6))
    hear(one, link)
    with pytest.raises(StoreError, match="another process runs this house as its instance same"):
        one.put(Alive(7))
    assert again.put(Alive(8))


def test_a_process_that_has_not_signed_yet_signs_behind_the_last_words_of_the_one_before_it() -> None:
    link = Link()
    before = opened(link, "one", "1")
    assert before.put(Alive(5))
    again = opened(link, "one", "2")
    assert before.put(Alive(6))
    assert opened(link, "two", "3").depose("one")
    hear(again, link)
    assert again.put(Alive(7))


def test_what_comes_of_its_own_is_as_it_was_written() -> None:
    link = Link()
    one = opened(link, "one", "1")
    for time_ns in range(3):
        assert one.put(Alive(time_ns))
        hear(one, link)
    assert one.depose("one")
    assert hear(one, link).signs["one"].is_deposed
