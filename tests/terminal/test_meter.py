"""``top`` on a terminal: that is given back while it is stopped, and tells how long a house has said nothing."""

from __future__ import annotations

import os
import re
import signal
from typing import Any

TAKEN = "\x1b[?1049h"
OF_HOUSE = r"(?m)^house +(\d+) "  # its row, below all else that names a gateway: a screen may be half drawn


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(shell: Any) -> None:
    shell.child.sendline("$auctionctl top --key house")
    shell.wait_for(lambda text: "requests/s" in text)
    shell.child.send("\x1a")
    shell.wait_for(lambda _: "Stopped" in shell.written)
    assert shell.is_restored()
    shell.written = ""
    shell.child.sendline("fg")
    shell.wait_for(lambda text: TAKEN in shell.written and "requests/s" in text)
    shell.child.sendintr()
    shell.child.sendline("echo status=$?")
    shell.wait_for(lambda _: "status=130" in shell.written)
    assert shell.is_restored()


def test_numbers_of_a_house_that_does_not_answer_are_marked_as_old_until_it_does(terminal: Any) -> None:
    screen = terminal("top", "--key", "house", "--interval", "0.25")
    text = screen.wait_for(lambda text: re.search(OF_HOUSE, text) is not None)
    assert "not heard" not in text
    (process,) = re.findall(OF_HOUSE, text)
    os.kill(int(process), signal.SIGSTOP)
    try:
        text = screen.wait_for(lambda text: re.search(r"not heard for \d+ s   up ", text) is not None)
    finally:
        os.kill(int(process), signal.SIGCONT)
    assert "requests/s" in text, "what is known of it stays"
    screen.wait_for(lambda text: "not heard" not in text and "requests/s" in text)
    screen.child.kill(signal.SIGTERM)
    assert screen.end() == 143
    assert screen.is_restored()
