"""``top`` on a terminal: that is given back while it is stopped."""

from __future__ import annotations

from typing import Any

TAKEN = "\x1b[?1049h"


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
