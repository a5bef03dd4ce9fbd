"""Two programs judge the same file: the package, and the verifier that was written from the manual page alone."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from auctionctl.errors import VerificationError
from auctionctl.keys.signing import Identity
from auctionctl.replica.audit import Audit, RegistryAudit, audit, audit_registry, compare_with_registry

TESTS = Path(__file__).parents[1]


def load(path: str) -> ModuleType:
    """A module of the tests' own, by its path below ``tests``."""
    name = "auctionctl_tests_" + path.removesuffix(".py").replace("/", "_")
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TESTS / path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


replicas = load("replica/conftest.py")
book, signed = replicas.book, replicas.signed


def load_verifier() -> ModuleType:
    """The program, whose modules find one another in its own directory."""
    sys.path.insert(0, str(TESTS / "independent/verifier"))
    try:
        return load("independent/verifier/__main__.py")
    finally:
        sys.path.pop(0)


program = load_verifier()


def verdict_on(found: Audit) -> dict[str, Any]:
    """What the package found, in the verifier's words."""
    auction, sale = found.auction, found.auction.sale
    return {
        "verified": True,
        "finished": found.is_finished,
        "phase": str(auction.whereabouts),
        "end_reason": auction.end_reason and str(auction.end_reason),
        "winner": sale.leader.hex() if sale else None,
        "price": sale.price_minor if sale else None,
        "currency": auction.terms.rules.currency,
        "bids": auction.bid_count,
        "entries": found.checkpoint.size,
        "extensions": auction.extensions,
        "contested": list(found.contested),
        "deadline": auction.get_timer(),
        "pauses": auction.pauses.count,
        "paused": auction.pauses.spent_ns,
        "operators": [[index, time_ns, key.hex()] for index, time_ns, key in found.operations],
    }


def audit_twice(data: bytes, house: Identity, progress: Callable[[int], None] | None = None) -> Audit:
    """As ``audit``, once it is certain that the verifier says the same."""
    second = program.check(data, house.text)
    try:
        found = audit(data, house, progress)
    except VerificationError as error:
        if (wrong := same_refusal(second, error)) is not None:
            raise wrong from error
        raise
    assert second == verdict_on(found)
    return found


def judge(data: bytes, house: Identity) -> tuple[Any, ...]:
    """The verdict of both: winner and price, or rule and index."""
    try:
        found = audit_twice(data, house)
    except VerificationError as error:
        return error.rule, error.index
    sale = found.sale
    return None if sale is None else (sale.winner, sale.price_minor)


def same_refusal(second: dict[str, Any], error: VerificationError) -> AssertionError | None:
    """What is wrong if the verifier does not refuse by this word, at this entry."""
    if (second["verified"], second.get("rule"), second.get("index")) == (False, error.rule, error.index):
        return None
    return AssertionError(f"{second}, but {error.rule} at {error.index}: {error}")


def audit_registry_twice(data: bytes, house: Identity, progress: Callable[[int], None] | None = None) -> RegistryAudit:
    """As ``audit_registry``, once it is certain that the verifier says the same."""
    second = program.check_registry(data, house.text)
    try:
        found = audit_registry(data, house, progress)
    except VerificationError as error:
        if (wrong := same_refusal(second, error)) is not None:
            raise wrong from error
        raise
    assert second == {"verified": True, "entries": found.checkpoint.size}
    return found


def compare_twice(data: bytes, registry: bytes, house: Identity) -> None:
    """As ``compare_with_registry`` of two files, once it is certain that the verifier says the same."""
    second = program.check(data, house.text, registry)
    try:
        compare_with_registry(audit(data, house), audit_registry(registry, house))
    except VerificationError as error:
        if (wrong := same_refusal(second, error)) is not None:
            raise wrong from error
        raise
    assert second["verified"]


@pytest.fixture(scope="session", name="audit_registry_twice")
def _audit_registry_twice() -> Callable[..., RegistryAudit]:
    return audit_registry_twice


@pytest.fixture(scope="session", name="compare_twice")
def _compare_twice() -> Callable[..., None]:
    return compare_twice


@pytest.fixture(scope="session", name="audit_twice")
def _audit_twice() -> Callable[..., Audit]:
    return audit_twice


@pytest.fixture(scope="session", name="judge")
def _judge() -> Callable[..., Any]:
    return judge


@pytest.fixture(scope="session")
def binding() -> type:
    """The Book that forges and re-signs."""
    return replicas.Book


@pytest.fixture(scope="session")
def book_of() -> Callable[[Any, bytes], Any]:
    """The book of an auction on a stage."""
    return lambda stage, auction: replicas.Book(
        stage.key, auction, tuple(stage.data(auction)), stage.announcement(auction)
    )


@pytest.fixture(scope="session")
def verifier() -> ModuleType:
    return program


@pytest.fixture(scope="session")
def proofs() -> ModuleType:
    """Of the verifier: what it holds signatures and proofs against."""
    return sys.modules["proofs"]


@pytest.fixture(scope="session")
def plays() -> ModuleType:
    """Auctions that stand still, are called off, and are paid for or not."""
    return load("independent/plays.py")


@pytest.fixture(scope="session")
def forging() -> ModuleType:
    """What is done to logs."""
    return load("independent/forging.py")


@pytest.fixture(scope="session")
def states() -> ModuleType:
    """Both programs side by side."""
    return load("independent/states.py")


@pytest.fixture(scope="session")
def rules() -> ModuleType:
    """Of the verifier: the rules of an auction."""
    return sys.modules["replay"]
