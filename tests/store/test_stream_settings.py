"""A stream that is set up in another way is found out, and one of another house is nobody's to use."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.errors import ConfigurationError
from auctionctl.store.stream_settings import HOUSE, Streams

HOUSE_KEY = "ab" * 32
STREAMS = Streams(HOUSE_KEY)


def both() -> list[str]:
    return [STREAMS.logs, STREAMS.signs]


@pytest.mark.parametrize("stream", both())
def test_a_stream_as_it_is_made_has_no_faults(stream: str) -> None:
    settings = STREAMS.settings(stream, 3)
    STREAMS.check_owner(stream, settings)
    assert STREAMS.faults(stream, settings) == []
    # A server leaves out what is off.
    said = {name: value for name, value in settings.items() if name != "no_ack"}
    assert STREAMS.faults(stream, said) == []


@pytest.mark.parametrize(
    ("name", "value", "is_loss"),
    [
        ("storage", "memory", True),
        ("deny_delete", False, True),
        ("deny_purge", False, True),
        ("allow_rollup_hdrs", True, True),
        ("num_replicas", 1, True),
        ("num_replicas", 2, True),
        ("retention", "workqueue", False),
        ("discard", "old", False),
        ("max_age", 1, False),
        ("max_msgs", 10, False),
        ("max_bytes", 10, False),
        ("max_msgs_per_subject", 1, False),
        ("allow_direct", True, False),
        ("no_ack", True, False),
        ("allow_atomic", False, False),
        ("subjects", ["other.>"], False),
    ],
)
def test_each_setting_that_could_lose_or_change_a_log_is_a_fault(name: str, value: Any, is_loss: bool) -> None:
    (fault,) = STREAMS.faults(STREAMS.logs, {**STREAMS.settings(STREAMS.logs, 3), name: value})
    assert ("replica" if name == "num_replicas" else name) in fault.reason
    assert STREAMS.logs in fault.reason
    assert fault.remedy
    assert fault.is_loss is is_loss


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3_600_000_000_000, "1 h"),
        (90 * 60 * 1_000_000_000, "90 min"),
        (7 * 86_400_000_000_000, "7 d"),
        (1_500_000_000, "1500 ms"),
        (2_000, "2 µs"),
        (5, "5 ns"),
    ],
)
def test_a_span_of_time_is_said_with_its_unit(value: int, text: str) -> None:
    (fault,) = STREAMS.faults(STREAMS.logs, {**STREAMS.settings(STREAMS.logs, 3), "max_age": value})
    assert fault.reason.endswith(f"has max_age {text}, not 0 s")


def test_signs_of_life_replace_one_another_and_entries_do_not() -> None:
    logs, signs = (STREAMS.settings(stream, 3) for stream in both())
    assert (logs["max_msgs_per_subject"], logs["discard"]) == (-1, "new")
    assert (signs["max_msgs_per_subject"], signs["discard"]) == (1, "old")
    # Or a message of one would be stored in the other.
    assert not logs["subjects"][0].startswith(signs["subjects"][0][:-1])
    assert not signs["subjects"][0].startswith(logs["subjects"][0][:-1])


@pytest.mark.parametrize(
    ("metadata", "words"),
    [(None, "of no house"), ({}, "of no house"), ({HOUSE: "cd" * 32}, "another house, with the key cdcdcdcdcdcdcdcd")],
)
def test_a_stream_of_another_house_is_refused(metadata: dict[str, str] | None, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        STREAMS.check_owner(STREAMS.logs, {"metadata": metadata})
    assert "its own key" in caught.value.hint
