"""Every forgery that ``tests/replica/test_audit.py`` knows is judged by both programs: the same rule, at one entry."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).parents[1] / "replica" / "test_audit.py"
OF_THE_AUDIT_ALONE = {
    "test_no_bit_of_a_finished_log_can_change_unnoticed",
    "test_progress_is_told_as_entries_are_checked",
}


def load() -> ModuleType:
    """A copy of its own, whose ``audit`` can be another."""
    spec = importlib.util.spec_from_file_location("auctionctl_tests_forgeries", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FORGERIES = load()
TESTS = {name: each for name, each in vars(FORGERIES).items() if name.startswith("test_")}
assert set(TESTS) >= OF_THE_AUDIT_ALONE
globals().update({name: each for name, each in TESTS.items() if name not in OF_THE_AUDIT_ALONE})


@pytest.fixture(autouse=True)
def judged(monkeypatch: pytest.MonkeyPatch, audit_twice: Callable[..., Any]) -> list[bytes]:
    """The files that were audited; each is judged by both."""
    seen: list[bytes] = []

    def audit(data: bytes, *rest: Any) -> Any:
        seen.append(data)
        return audit_twice(data, *rest)

    monkeypatch.setattr(FORGERIES, "audit", audit)
    return seen


def test_the_forgeries_go_through_both(book: Any, judged: list[bytes]) -> None:
    FORGERIES.audited(book)
    assert judged == [book.file()]
    assert len(TESTS) > 30
