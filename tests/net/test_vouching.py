"""A house is vouched for while it lives and can be reached, and no longer."""

from __future__ import annotations

from auctionctl.net.house_words import Alive
from auctionctl.net.sd_notify import Notifier
from auctionctl.net.vouching import GATEWAY_SILENCE_S, HOUSE_SILENCE_S, RESTART_PATIENCE_S, Vouching


class Heard(Notifier):
    """A real notifier without a socket, which keeps what it would say."""

    def __init__(self, watchdog_s: float | None = 10.0) -> None:
        super().__init__("", watchdog_s)
        self.said: list[str] = []

    def _say(self, text: str) -> None:
        self.said.append(text)

    def beats(self) -> int:
        return self.said.count("WATCHDOG=1")


def test_a_sign_of_life_is_passed_on_twice_a_period():
    notifier = Heard()
    vouching = Vouching(notifier)
    vouching.beat(0.0)
    assert (notifier.said, vouching.next_s) == ([], None), "nothing before it serves"
    vouching.begin("auction://x", 0.0)
    for tenth in range(201):
        vouching.heard(Alive(True, 1), tenth / 10)
        vouching.beat(tenth / 10)
    assert notifier.said[0] == "READY=1"
    assert notifier.beats() == 5  # at 0, 5, 10, 15 and 20


def test_a_house_that_is_silent_is_not_vouched_for_until_it_speaks_again():
    notifier = Heard(2.0)
    vouching = Vouching(notifier)
    vouching.begin("auction://x", 0.0)
    for second in range(20):
        vouching.beat(float(second))
    assert notifier.beats() == HOUSE_SILENCE_S + 1
    vouching.heard(Alive(True, 1), 20.0)
    vouching.beat(20.0)
    assert notifier.beats() == HOUSE_SILENCE_S + 2


def test_a_house_that_nobody_can_reach_is_not_vouched_for_after_a_while():
    notifier = Heard(2.0)
    vouching = Vouching(notifier)
    vouching.begin("auction://x", 0.0)
    for second in range(60):
        vouching.heard(Alive(False, 1), float(second))
        vouching.beat(float(second))
    assert notifier.beats() == GATEWAY_SILENCE_S + 1
    assert notifier.said[1] == "STATUS=out of reach: the gateway is being restarted; auctions under way: 1"


def test_the_status_is_said_when_it_changes():
    notifier = Heard(None)
    vouching = Vouching(notifier)
    vouching.begin("auction://x", 0.0)
    for alive in (Alive(True, 2), Alive(True, 2), Alive(True, 1)):
        vouching.heard(alive, 1.0)
    assert notifier.said == [
        "READY=1",
        "STATUS=serving at auction://x; auctions under way: 2",
        "STATUS=serving at auction://x; auctions under way: 1",
    ]


def test_a_house_that_is_started_again_is_vouched_for_until_that_takes_too_long():
    notifier = Heard(2.0)
    vouching = Vouching(notifier)
    vouching.begin("auction://x", 0.0)
    vouching.excuse(0.0)
    assert not vouching.is_serving
    for second in range(200):
        vouching.beat(float(second))
    assert notifier.beats() == RESTART_PATIENCE_S + 1
    assert notifier.said[1] == "STATUS=the house's process has died, and is being started again"
    vouching.begin("auction://x", 200.0)
    vouching.beat(200.0)
    assert notifier.beats() == RESTART_PATIENCE_S + 2


def test_the_excuse_of_a_house_ends_when_it_serves_again():
    notifier = Heard(2.0)
    vouching = Vouching(notifier)
    vouching.begin("auction://x", 0.0)
    vouching.excuse(0.0)
    vouching.begin("auction://x", 1.0)
    for second in range(1, 60):
        vouching.beat(float(second))
    assert notifier.beats() == HOUSE_SILENCE_S + 1
