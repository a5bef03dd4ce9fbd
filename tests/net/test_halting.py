"""A log that was halted is halted after a restart, and the supervisor hears of it either way."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from auctionctl.errors import ConfigurationError
from auctionctl.house.effects import Halt
from auctionctl.keys.signing import SecretKey
from auctionctl.net.control import receive_control
from auctionctl.net.halting import Halting
from auctionctl.net.house_words import Halted, decode_from_child
from auctionctl.store.halted_logs import FILE_NAME
from auctionctl.store.state_directory import IDENTITY_NAME
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.wire.messages import Remind

HOUSE, OTHER = SecretKey(b"h" * 32), SecretKey(b"o" * 32)
AUCTION = b"a" * 32
LOG = f"auction/{AUCTION.hex()}"


def note_of(log: str, size: int = 10, house: SecretKey = HOUSE, signer: SecretKey = HOUSE) -> bytes:
    return CheckpointSigner(origin_of(house.identity.text, log), signer).sign(size, bytes(32))


HALTS = (
    Halt(LOG, "it is short", Remind(AUCTION, note_of(LOG))),
    Halt("registry", "it is another", Remind(b"", note_of("registry"))),
)


@pytest.fixture
def supervisor() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def heard(ours: socket.socket) -> object:
    data, _ = receive_control(ours)
    return decode_from_child(data)


def test_what_halts_a_log_is_kept_told_and_remembered_as_it_was_said(supervisor, tmp_path: Path) -> None:
    ours, theirs = supervisor
    halting = Halting(theirs, tmp_path)
    assert halting.remembered() == []
    for halt in HALTS:
        halting.halt(halt)
        assert heard(ours) == Halted(halt.log, halt.reason)
    (tmp_path / IDENTITY_NAME).write_text(f"{HOUSE.identity.text}\n")
    assert Halting(theirs, tmp_path).remembered() == [halt.reminder for halt in HALTS]
    halting.halt(HALTS[0])
    assert heard(ours) == Halted(HALTS[0].log, HALTS[0].reason), "a restart tells it again"


def test_a_second_note_of_a_log_is_remembered_besides_the_first(supervisor, tmp_path: Path) -> None:
    """A store restored from a backup that bears out the first may still lack what the second says."""
    ours, theirs = supervisor
    second = Remind(AUCTION, note_of(LOG, 15))
    Halting(theirs, tmp_path).halt(HALTS[0])
    again = Halting(theirs, tmp_path)
    again.halt(Halt(LOG, "it is still short", second))
    assert [heard(ours), heard(ours)] == [Halted(LOG, "it is short"), Halted(LOG, "it is still short")]
    assert Halting(theirs, tmp_path).remembered() == [HALTS[0].reminder, second]


def test_a_disk_that_keeps_nothing_is_said_and_holds_up_nobody(supervisor, tmp_path: Path) -> None:
    ours, theirs = supervisor
    halting = Halting(theirs, tmp_path)
    (tmp_path / f"{FILE_NAME}.new").mkdir()
    halting.halt(HALTS[0])
    told = heard(ours)
    assert isinstance(told, Halted)
    assert "a restart will not know of it" in told.reason


@pytest.mark.parametrize(
    ("log", "note"),
    [
        ("something/else", note_of("registry")),
        ("registry", note_of(LOG)),
        ("registry", b"note"),
        ("registry", b""),
        ("registry", b"\xff\n\n\xff\n"),
        ("registry", note_of("registry")[:-8] + b"AAAAAAA\n"),
        ("registry", note_of("registry", signer=OTHER)),
        ("registry", note_of("registry", house=OTHER, signer=OTHER)),
        ("registry", note_of("registry").replace(HOUSE.identity.text.encode(), b"nobody")),
    ],
    ids=["no log", "another log", "no note", "empty", "no text", "damaged", "forged", "another house", "nobody"],
)
def test_a_line_that_cannot_be_heeded_is_an_error_that_says_where(
    supervisor, tmp_path: Path, log: str, note: bytes
) -> None:
    (tmp_path / IDENTITY_NAME).write_text(f"{HOUSE.identity.text}\n")
    (tmp_path / FILE_NAME).write_text(f"# comment\n{log} {b64encode(note).decode()}\n")
    with pytest.raises(ConfigurationError, match=r"/halted is damaged: line 2: .") as caught:
        Halting(supervisor[1], tmp_path)
    assert "mend the line" in caught.value.hint
