"""What a session reminds the house of counts only under the house's own signature on a checkpoint of that log."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.errors import RemoteProtocolError
from auctionctl.house.auction_log import log_name
from auctionctl.house.reminders import open_reminder
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.heads import sign_heads
from auctionctl.wire.messages import Refused, Remind

KEY = SecretKey(b"house".ljust(32, b"."))
OTHER = SecretKey(b"another house".ljust(32, b"."))
ROOT = b"r" * 32
A, B = b"a" * 32, b"b" * 32


def signer(name: str, key: SecretKey = KEY, owner: SecretKey = KEY) -> CheckpointSigner:
    return CheckpointSigner(origin_of(owner.identity.text, name), key)


@pytest.mark.parametrize(("log", "name"), [(REGISTRY_ID, REGISTRY), (A, log_name(A))])
def test_a_note_that_the_house_signed_alone_or_together_with_others_is_taken(log: bytes, name: str) -> None:
    together, _ = sign_heads([(signer(name), 5, ROOT), (signer(log_name(B)), 9, ROOT)], KEY)
    for note in (signer(name).sign(5, ROOT), together):
        checkpoint = open_reminder(Remind(log, note), KEY.identity)
        assert (checkpoint.size, checkpoint.root) == (5, ROOT)


@pytest.mark.parametrize(
    ("log", "note"),
    [
        (A, signer(log_name(B)).sign(5, ROOT)),
        (A, signer(REGISTRY).sign(5, ROOT)),
        (A, signer(log_name(A), OTHER, OTHER).sign(5, ROOT)),
        (A, signer(log_name(A), OTHER, KEY).sign(5, ROOT)),
        (A[:31], signer(log_name(A)).sign(5, ROOT)),
        (A, b""),
        (A, b"x" * 4_096),
    ],
    ids=["of another log", "of the registry", "of another house", "by another key", "no log", "empty", "no note"],
)
def test_anything_else_is_malformed_and_changes_nothing(stage: Any, staging: Any, log: bytes, note: bytes) -> None:
    reminder = Remind(log, note)
    with pytest.raises(RemoteProtocolError, match="no checkpoint that this house signed"):
        open_reminder(reminder, KEY.identity)
    stage.enter(3, "olga", "observer")
    (reply,) = staging.replies(stage.handle(stage.ask(3, reminder)), 3)
    assert isinstance(reply, Refused)
    assert reply.code == "malformed"
