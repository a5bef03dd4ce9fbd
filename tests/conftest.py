"""What several parts share: the stage, which is a house in memory and whoever speaks to it; and what a run says of
itself: long runs are left out unless asked for, and numbers that are promised are printed at the end.

With ``-n 3`` three processes share the tests, and the longest parts come first; each says what it has counted. So tests
that start houses run beside others, and have to stand that.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings

from auctionctl.keys import signing

# How long one example takes says something of the machine alone: nothing that is promised is timed in that way.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_SAID = pytest.StashKey[list[str]]()
PARTS = {
    **dict.fromkeys(("bench", "faults", "hostile_clients", "net", "scripts"), "houses"),
    **dict.fromkeys(("cli", "hostile", "terminal"), "commands"),
}
"""Directory of tests → the part that it belongs to; every other is by itself."""
OF_CLUSTERS = ("test_cluster_faults", "test_cluster_house", "test_instances", "test_demo_cluster", "test_clustered")
"""Three servers and three houses that sync as fast as they can: not beside those who time an honest bidder."""
TIMED = ("test_hostile_clients",)
"""What times an honest bidder runs beside the simulation, which keeps one core a process busy, and no disk."""
LONGEST_FIRST = (
    *("simulation", "timed", "acceptance", "fuzz", "houses", "clusters", "commands"),
    *("powerloss", "independent", "conformance", "replica"),
)
"""These before the others, or one process would have nothing left to do while the other still has much."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def part_of(item: pytest.Item) -> str:
        directory = item.path.relative_to(Path(__file__).parent).parts[0]
        if directory in ("cli", "faults") and item.path.stem in OF_CLUSTERS:
            return "clusters"
        if directory == "faults" and item.path.stem in TIMED:
            return "timed"
        return PARTS.get(directory, directory)

    order = {part: place for place, part in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(part_of(item), len(order)))
    if "soak" in config.getoption("markexpr"):
        return
    soaking = [item for item in items if item.get_closest_marker("soak")]
    if soaking:
        config.hook.pytest_deselected(items=soaking)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One process of several hands on what it has to say."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["said"] = session.config.stash.get(_SAID, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """It is heard by the one that writes the summary; a process that died has said nothing."""
    said = getattr(node, "workeroutput", {}).get("said", [])
    node.config.stash.setdefault(_SAID, []).extend(said)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(_SAID, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def say_at_the_end(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Prints a line at the end of the whole run, where a number that is promised can be read: what was counted."""
    return pytestconfig.stash.setdefault(_SAID, []).append


@pytest.fixture
def true_signatures_checked_once() -> Iterator[None]:
    """Of logs that differ in a bit, libsodium is asked once about what is true of all: it has no other answer."""
    with mock.patch.object(signing, "crypto_sign_open", cache(signing.crypto_sign_open)):
        yield


def load_module(path: Path) -> ModuleType:
    """The module in a file that stands beside tests, once for all of them."""
    name = f"auctionctl_tests_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def load_stage() -> ModuleType:
    return load_module(Path(__file__).parent / "house" / "stage.py")


@pytest.fixture(scope="session")
def load() -> Callable[[Path], ModuleType]:
    """For directories that have a module of their own beside their tests."""
    return load_module


@pytest.fixture(scope="session")
def staging() -> ModuleType:
    """The module of the stage, for what it has besides the stage."""
    return load_stage()


@pytest.fixture
def stage(staging: ModuleType) -> Any:
    return staging.Stage()
