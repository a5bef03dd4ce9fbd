"""A house says how it is: each warning until it is taken back, the gravest first, within what a message holds."""

from __future__ import annotations

from typing import Any

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.condition import (
    ARCHIVE_FAILED,
    BANNED,
    INSTANCE_LOST,
    MAX_INSTANCES,
    MAX_WARNINGS,
    QUARANTINED,
    STORE_FULL,
    Company,
    Warnings,
    company_of,
    condition_of,
)
from auctionctl.house.instances import Instance
from auctionctl.wire.frames import MAX_REPLY_BYTES
from auctionctl.wire.messages import MAX_TEXT_CHARACTERS, Condition, InstanceWord, Status, encode

from .stage import START_NS, replies


def test_a_warning_stands_until_it_is_taken_back() -> None:
    warnings = Warnings()
    assert warnings.listed() == ()
    warnings.say(STORE_FULL, "no room")
    warnings.say(STORE_FULL, "no room at all")
    assert warnings.listed() == ((STORE_FULL, "no room at all"),)
    warnings.take_back(QUARANTINED)
    warnings.take_back(STORE_FULL)
    assert warnings.listed() == ()


def test_a_warning_that_is_put_without_words_is_none() -> None:
    warnings = Warnings()
    warnings.put(BANNED, "mallory")
    assert warnings.listed() == ((BANNED, "mallory"),)
    warnings.put(BANNED, "")
    warnings.put(BANNED, "")
    assert warnings.listed() == ()


def test_what_is_put_under_a_code_takes_the_place_of_all_that_was_under_it() -> None:
    warnings = Warnings()
    warnings.say(BANNED, "mallory")
    warnings.put_each(INSTANCE_LOST, {"a": "gone", "b": "gone"})
    warnings.put_each(INSTANCE_LOST, {"b": "gone again", "c": "gone"})
    assert warnings.listed() == ((INSTANCE_LOST, "b: gone again"), (INSTANCE_LOST, "c: gone"), (BANNED, "mallory"))
    warnings.put_each(INSTANCE_LOST, {})
    assert warnings.listed() == ((BANNED, "mallory"),)


def test_an_instance_that_is_not_heard_of_and_did_not_end_in_order_is_lost() -> None:
    seen = [
        Instance("alive", "a.example:1", 2, is_alive=True),
        Instance("dead", "b.example:2", 0, is_alive=False),
        Instance("ended", "", 0, is_alive=False),
    ]
    company = company_of("alive", seen)
    assert [each.name for each in company.instances] == ["alive", "dead"]
    assert list(company.lost) == ["dead"]
    assert "b.example:2" in company.lost["dead"]


def test_each_subject_has_a_warning_of_its_own_and_the_gravest_comes_first() -> None:
    warnings = Warnings()
    warnings.say("never heard of", "something")
    warnings.say(ARCHIVE_FAILED, "loose modes")
    warnings.say(QUARANTINED, "time", "auction/1")
    warnings.say(QUARANTINED, "root", "auction/2")
    warnings.say(STORE_FULL, "no room")
    assert warnings.listed() == (
        (STORE_FULL, "no room"),
        (QUARANTINED, "auction/1: time"),
        (QUARANTINED, "auction/2: root"),
        (ARCHIVE_FAILED, "loose modes"),
        ("never heard of", "something"),
    )
    warnings.take_back(QUARANTINED, "auction/1")
    assert (QUARANTINED, "auction/2: root") in warnings.listed()
    assert (QUARANTINED, "auction/1: time") not in warnings.listed()


def test_whatever_is_wrong_fits_into_one_message() -> None:
    warnings = Warnings()
    for number in range(2 * MAX_WARNINGS):
        warnings.say(QUARANTINED, "ä" * 2 * MAX_TEXT_CHARACTERS, f"auction/{number}")
    listed = warnings.listed()
    assert len(listed) == MAX_WARNINGS
    assert {len(words) for _, words in listed} == {MAX_TEXT_CHARACTERS}
    assert len(encode(Condition(0, 0, 0, 0, 0, 0, listed))) <= MAX_REPLY_BYTES


def test_whoever_is_let_in_is_told_how_the_house_is(stage: Any) -> None:
    stage.opened(duration_ns=SECOND_NS)
    stage.announce()
    stage.house.warnings.say(STORE_FULL, "no room")
    stage.after(2 * SECOND_NS)
    observer = stage.enter(7, "olga", "observer")
    (said,) = replies(stage.handle(stage.ask(observer, Status())), observer)
    assert said == Condition(
        time_ns=stage.now_ns,
        started_ns=START_NS,
        open_count=1,
        unfinished_count=1,
        session_count=3,
        registry_size=stage.house.registry.durable_size,
        warnings=((STORE_FULL, "no room"),),
    )


def test_one_of_several_instances_says_which_there_are(stage: Any) -> None:
    stage.announce()
    words = tuple(InstanceWord(f"i{number}", "h:1", True, 1) for number in range(2 * MAX_INSTANCES))
    stage.house.company = Company("i0", words)
    said = condition_of(stage.house, stage.now_ns)
    assert (said.instance, said.instances) == ("i0", words[:MAX_INSTANCES])


def test_a_stranger_is_told_nothing(stage: Any) -> None:
    (refused,) = replies(stage.handle(stage.ask(9, Status())), 9)
    assert refused.code == "no_session"
