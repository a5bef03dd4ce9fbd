"""Pauses, cancellations and settlements: on every log, and every beginning of it, both programs come to the same."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module", params=["PAUSES", "SALES"])
def played(request: pytest.FixtureRequest, staging: Any, plays: Any, book_of: Any) -> dict[str, tuple[Any, Any, bytes]]:
    """Name → the play, its log, and the file that the house exports."""
    done = {}
    for name, play in getattr(plays, request.param).items():
        stage = staging.Stage()
        auction = plays.perform(stage, staging, play)
        book = book_of(stage, auction)
        done[name] = play, book, stage.export(auction)
    return done


def test_every_play_takes_the_course_that_it_is_to_show(played: Any) -> None:
    for name, (play, book, _) in played.items():
        assert " ".join(book.kinds()).partition(" opened ")[2] == play.kinds, name


def test_both_agree_on_every_beginning_of_every_log(played: Any, audit_twice: Any) -> None:
    for name, (_, book, file) in played.items():
        whole = audit_twice(file, book.house.identity)
        assert whole.is_finished, name
        for size in range(1, len(book.entries)):
            assert not audit_twice(book.cut(size).file(), book.house.identity).is_finished, (name, size)
