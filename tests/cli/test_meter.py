"""How long a house has said nothing, as far as anybody listened."""

from __future__ import annotations

from auctionctl.cli.meter import STOPPED_S, Silence


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_silence_lasts_from_the_last_word_on() -> None:
    clock = Clock()
    silence = Silence(clock)
    for _ in range(4):
        clock.now_s += 0.5
        lasted_s = silence.listen()
    assert lasted_s == 2.0
    silence.end()
    clock.now_s += 0.5
    assert silence.listen() == 0.5


def test_while_this_program_was_stopped_nobody_was_silent() -> None:
    clock = Clock()
    silence = Silence(clock)
    clock.now_s += 1.0
    assert silence.listen() == 1.0
    clock.now_s += 3_600.0
    assert silence.listen() == 1.0
    clock.now_s += STOPPED_S
    assert silence.listen() == 1.0 + STOPPED_S


def test_a_word_that_came_right_before_a_stop_ends_the_silence() -> None:
    clock = Clock()
    silence = Silence(clock)
    clock.now_s += 1.0
    silence.listen()
    clock.now_s += 0.1
    silence.end()
    clock.now_s += 3_600.0
    assert silence.listen() == 0.0
