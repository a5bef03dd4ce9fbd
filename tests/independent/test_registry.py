"""A registry, and a log beside a copy of it: both programs confirm, or do not, the same auctions and operators."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.commands import decode_command
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import VerificationError
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import (
    REGISTRY,
    Admitted,
    Announced,
    Revoke,
    RoleChanged,
    encode_registry_event,
    kind_of,
)
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.entry import Entry, Kind, decode, encode
from auctionctl.tlog.merkle import Tree, leaf_hash
from auctionctl.wire.frames import sign_body

SOURCE = Path(__file__).parents[1] / "replica" / "test_audit_registry.py"


def load() -> ModuleType:
    """A copy of its own, whose ``audit`` and ``audit_registry`` can be others."""
    spec = importlib.util.spec_from_file_location("auctionctl_tests_registry_forgeries", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FORGERIES = load()
OF_THE_AUDIT_ALONE = "test_no_bit_of_the_announcement_behind_a_log_can_change_unnoticed"
"""For both there is one over all bits of a file."""
TESTS = {name: each for name, each in vars(FORGERIES).items() if name.startswith("test_")}
del TESTS[OF_THE_AUDIT_ALONE]
told = FORGERIES.told
globals().update(TESTS)


@pytest.fixture(autouse=True)
def twice(
    monkeypatch: pytest.MonkeyPatch, audit_twice: Callable[..., Any], audit_registry_twice: Callable[..., Any]
) -> None:
    """Every registry and every log that is audited in those tests is judged by both."""
    monkeypatch.setattr(FORGERIES, "audit", audit_twice)
    monkeypatch.setattr(FORGERIES, "audit_registry", audit_registry_twice)


def registry_of(stage: Any, *more: tuple[int, Any], size: int | None = None) -> bytes:
    """The registry with ``more`` behind it, (time, event) each, or its first ``size`` entries; the house signs it."""
    entries = [*stage.registry_data()[:size]]
    entries += [encode(Entry(kind_of(event), time_ns, encode_registry_event(event))) for time_ns, event in more]
    tree = Tree()
    for data in entries:
        tree.append(leaf_hash(data))
    signer = CheckpointSigner(origin_of(stage.key.identity.text, REGISTRY), stage.key)
    return encode_export(entries, signer.sign(tree.size, tree.root()))


def before_conduct(stage: Any) -> int:
    """How many entries the registry has before it says anything of bidders."""
    kinds = [decode(data).kind for data in stage.registry_data()]
    return (*kinds, Kind.CONDUCT).index(Kind.CONDUCT)


@pytest.fixture
def operated(stage: Any, staging: Any, plays: Any, book_of: Any) -> tuple[Any, Any]:
    """An auction that otto has paused and let go on, and its book; ann bid in between."""
    return stage, book_of(stage, plays.perform(stage, staging, plays.PAUSES["paused by an operator, and resumed"]))


def caught(compare: Any, stage: Any, book: Any, registry: bytes) -> tuple[Any, ...]:
    with pytest.raises(VerificationError) as raised:
        compare(book.file(), registry, stage.key.identity)
    return raised.value.rule, raised.value.index


def test_an_operator_of_the_registry_may_have_done_what_the_log_says(operated: Any, compare_twice: Any) -> None:
    stage, book = operated
    compare_twice(book.file(), registry_of(stage), stage.key.identity)


@pytest.mark.parametrize("name", ["ann", "sue", "nobody"])
def test_nobody_else_may_have_done_it(operated: Any, compare_twice: Any, staging: Any, name: str) -> None:
    stage, book = operated
    index, key = book.index_of("resumed"), staging.key_of(name)
    command = decode_command(book.entry(index).body)
    forged = book.resigned(index, key, replace(command, actor=key.identity.signing))
    assert caught(compare_twice, stage, forged, registry_of(stage)) == ("operator", index)


@pytest.mark.parametrize("before_ns", [-1, 0, 1])
def test_what_counts_is_the_role_at_the_time(operated: Any, compare_twice: Any, staging: Any, before_ns: int) -> None:
    """Otto's role is taken a nanosecond after his last command, at the same time, or a nanosecond before."""
    stage, book = operated
    size = before_conduct(stage)
    otto, index = staging.key_of("otto").identity.signing, book.index_of("resumed")
    at_ns = book.entry(index).time_ns
    taken = (at_ns - before_ns, RoleChanged(otto, "otto", "observer"))
    if before_ns <= 0:
        compare_twice(book.file(), registry_of(stage, taken, size=size), stage.key.identity)
        return
    assert caught(compare_twice, stage, book, registry_of(stage, taken, size=size)) == ("operator", index)
    given = (at_ns, RoleChanged(otto, "otto", "observer+operator"))
    compare_twice(book.file(), registry_of(stage, taken, given, size=size), stage.key.identity)


def test_another_registry_or_an_older_copy_confirms_nothing(operated: Any, compare_twice: Any, staging: Any) -> None:
    stage, book = operated
    size = before_conduct(stage)
    assert caught(compare_twice, stage, book, registry_of(stage, size=size - 1)) == ("announcement", None)
    sue, last_ns = staging.key_of("sue").identity.signing, stage.now_ns + SECOND_NS
    other = (last_ns, Announced(b"a" * 32, sue, "another"))
    assert caught(compare_twice, stage, book, registry_of(stage, other, size=size - 1)) == ("announcement", None)
    assert caught(compare_twice, stage, book, book.file())[0] == "checkpoint"
    strangers = staging.Stage()
    strangers.key = staging.key_of("stranger")
    assert caught(compare_twice, stage, book, registry_of(strangers))[0] in {"checkpoint", "announcement"}


def revocation(stage: Any, staging: Any, by: str, whom: str, time_ns: int, **changes: Any) -> bytes:
    """An entry by which one revokes the key of another."""
    house, actor = stage.key.identity.signing, staging.key_of(by)
    event = replace(Revoke(house, actor.identity.signing, staging.key_of(whom).identity.signing), **changes)
    message = sign_body(actor, encode_registry_event(event))
    return encode(Entry(kind_of(event), time_ns, message.body, message.signature))


def registry_with(stage: Any, *more: bytes) -> bytes:
    tree, entries = Tree(), [*stage.registry_data()[: before_conduct(stage)], *more]
    for data in entries:
        tree.append(leaf_hash(data))
    signer = CheckpointSigner(origin_of(stage.key.identity.text, REGISTRY), stage.key)
    return encode_export(entries, signer.sign(tree.size, tree.root()))


@pytest.mark.parametrize(("before_ns", "word"), [(-1, None), (0, None), (1, "revoked")])
def test_nobody_signs_anything_after_its_key_was_revoked(
    operated: Any, compare_twice: Any, staging: Any, before_ns: int, word: str | None
) -> None:
    """Ann's key is revoked a nanosecond after the last that she signed, at the same time, or a nanosecond before."""
    stage, book = operated
    ann, entries = staging.key_of("ann").identity.signing, [decode(data) for data in book.entries]
    index = max(at for at, each in enumerate(entries) if each.signature and ann in each.body)
    entry = revocation(stage, staging, "ann", "ann", book.entry(index).time_ns - before_ns)
    registry = registry_with(stage, entry)
    if word is None:
        compare_twice(book.file(), registry, stage.key.identity)
    else:
        assert caught(compare_twice, stage, book, registry) == (word, index)


@pytest.mark.parametrize(
    ("by", "whom", "word"),
    [
        ("ann", "ann", None),
        ("otto", "ann", None),
        ("house", "ann", None),
        ("ann", "ben", "key_revoked"),
        ("sue", "ben", "key_revoked"),
        ("nobody", "nobody", "key_revoked"),
        ("otto", "nobody", "key_revoked"),
        ("otto", "house", "key_revoked"),
        ("house", "house", "key_revoked"),
    ],
)
def test_both_say_who_revokes_whose_key(
    stage: Any, staging: Any, audit_registry_twice: Any, *, by: str, whom: str, word: str | None
) -> None:
    data = registry_with(stage, revocation(stage, staging, by, whom, stage.now_ns))
    if word is None:
        audit_registry_twice(data, stage.key.identity)
        return
    with pytest.raises(VerificationError) as raised:
        audit_registry_twice(data, stage.key.identity)
    assert raised.value.rule == word


def test_both_refuse_what_follows_a_revocation(stage: Any, staging: Any, audit_registry_twice: Any) -> None:
    now_ns, ann, otto = stage.now_ns, staging.key_of("ann").identity, staging.key_of("otto").identity
    gone = revocation(stage, staging, "ann", "ann", now_ns)

    def of_the_house(event: Any) -> bytes:
        return encode(Entry(kind_of(event), now_ns, encode_registry_event(event)))

    unsigned = decode(gone)
    for entries, word in (
        ([gone, gone], "key_revoked"),
        ([gone, of_the_house(Admitted(ann.signing, ann.transport, "ann", "bidder"))], "admitted"),
        ([gone, of_the_house(RoleChanged(ann.signing, "ann", "bidder"))], "role"),
        ([revocation(stage, staging, "ann", "ann", now_ns, house=b"x" * 32)], "key_revoked"),
        ([revocation(stage, staging, "ann", "ann", now_ns, actor=otto.signing)], "signature"),
        ([encode(Entry(unsigned.kind, now_ns, unsigned.body))], "signature"),
        (
            [revocation(stage, staging, "otto", "otto", now_ns), revocation(stage, staging, "otto", "ann", now_ns)],
            "key_revoked",
        ),
    ):
        with pytest.raises(VerificationError) as raised:
            audit_registry_twice(registry_with(stage, *entries), stage.key.identity)
        assert raised.value.rule == word
