"""A secret that stands in the wrong place: wherever that is, hardly any of it is shown to anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from hostile_case import ALICE, Case, Ending, Materials, lay_out

from auctionctl.keys.encoding import SECRET_PREFIX
from auctionctl.keys.signing import SecretKey

SECRET: Final = SecretKey(bytes(range(100, 132))).seed_text
CUT: Final = SECRET[:-9]
RUN: Final = 9
"""So many characters of it in a row are too many; what every secret begins with is none of it."""

PLACES: Final[list[tuple[str, ...]]] = [
    ("S",),
    ("S", "ls"),
    ("--S",),
    ("ls", "--S"),
    ("ls", "S"),
    ("allow", "S"),
    ("allow", "rm", "S"),
    ("allow", "add", "S", "alice"),
    ("allow", "add", ALICE.identity.text, "S"),
    ("allow", "add", ALICE.identity.text, "alice", "--role", "S"),
    ("verify", "S"),
    ("verify", "/" + "x" * 400 + "/S"),
    ("verify", "/x/S/" + "x" * 400),
    ("keygen", "S"),
    ("key", "show", "S"),
    ("key", "export", "S"),
    ("key", "export", "alice", "-o", "none/S"),
    ("key", "rm", "S"),
    ("key", "rm", "S", "--yes"),
    ("key", "import", "S"),
    ("key", "import", "/tmp/S"),
    ("key", "import", "-", "S"),
    ("key", "import", "home/config/keys/alice.key", "S"),
    ("context", "use", "S"),
    ("context", "rm", "S"),
    ("context", "add", "S", "auction://x"),
    ("context", "add", "x", "S"),
    ("context", "add", "x", "auction://S@h:1"),
    ("ls", "--context", "S"),
    ("ls", "--key", "S"),
    ("ls", "--house", "S"),
    ("ls", "--passphrase-file", "S"),
    ("keygen", "x", "--passphrase-file", "S"),
    ("key", "passwd", "S"),
    ("key", "revoke", "S"),
    ("key", "revoke", "S", "--yes"),
    ("key", "rotate", "S"),
    ("key", "passwd", "alice", "--new-passphrase-file", "/S"),
    ("ls", "--house", "auction://S@h:1"),
    ("ls", "-o", "S"),
    ("serve", "S"),
    ("serve", "x", "--port", "S"),
    ("serve", "S", "--log-format", "json"),
    ("serve", "x", "--bind", "S", "--log-format", "journal"),
    ("init", "S"),
    ("open", "S"),
    ("open", "--item", "x", "--starting-price", "S"),
    ("bid", "x", "--amount", "S"),
    ("bid", "x", "--strategy", "S", "--budget", "1EUR"),
    ("bid", "x", "--strategy", "S", "--budget", "1EUR", "--log-format", "json"),
    ("bid", "x", "--strategy", "smart", "--budget", "1EUR", "--param", "S"),
    ("bid", "x", "--strategy", "smart", "--budget", "1EUR", "--param", "value=S"),
    ("demo", "--duration", "S"),
    ("demo", "--duration", "3s", "--keep", "none/S/x"),
    ("completion", "S"),
    ("config", "show"),
    ("config", "show", "--origin"),
    ("config", "path"),
    ("doctor", "S"),
    ("doctor", "--store", "nats://house:S@127.0.0.1:1"),
    ("serve", "--store", "nats://S@127.0.0.1:1"),
]
SETTINGS: Final = (
    "AUCTIONCTL_KEY",
    "AUCTIONCTL_PASSPHRASE_FILE",
    "AUCTIONCTL_HOUSE",
    "AUCTIONCTL_CONTEXT",
    "AUCTIONCTL_OUTPUT",
    "AUCTIONCTL_HOME",
)


def check_kept(secret: str, ending: Ending) -> None:
    kept = secret[len(SECRET_PREFIX) + 1 :].lower()
    shown = (ending.out + ending.err).lower()
    for start in range(len(kept) - RUN + 1):
        assert kept[start : start + RUN] not in shown, shown


@pytest.fixture
def run(work: Path, commands: Any, materials: Materials) -> Any:
    lay_out(Case("", (), 0), work, materials)
    usual = {"AUCTIONCTL_HOME": str(work / "home"), "HOME": str(work), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

    def run_there(*arguments: str, **environment: str) -> Ending:
        ending: Ending = commands.run(work, arguments, usual | environment, "/dev/null")
        return ending

    return run_there


@pytest.mark.parametrize("secret", [SECRET, SECRET.lower(), CUT], ids=["whole", "small", "cut"])
@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_a_secret_on_the_command_line_is_not_repeated(run: Any, place: tuple[str, ...], secret: str) -> None:
    arguments = [word.replace("S", secret) if word.isascii() and "S" in word else word for word in place]
    for form in ((), ("--json",)):
        check_kept(secret, run(*arguments, *form))


@pytest.mark.parametrize("variable", SETTINGS)
def test_a_secret_in_the_environment_is_not_repeated(run: Any, variable: str) -> None:
    for command in (("config", "show"), ("config", "show", "--json"), ("config", "path"), ("ls",), ("doctor",)):
        check_kept(SECRET, run(*command, **{variable: SECRET}))


def test_a_secret_that_is_asked_for_is_whole(run: Any, work: Path) -> None:
    assert ALICE.seed_text in run("key", "export", "alice", "--secret").out
    assert run("key", "export", "alice", "--secret", "-o", "copy").status == 0
    assert ALICE.seed_text in (work / "copy").read_text()
