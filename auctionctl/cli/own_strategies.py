"""Strategies that somebody else wrote in Python: found by entry point, or in a file that is named, and fenced in.

Rule: nothing is loaded before it is asked for by name. What is loaded is code of whoever runs the bidder, with all its
rights; what it says and raises is fenced in (:mod:`auctionctl.client.fence`).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auctionctl.bidding.strategies import SPECS
from auctionctl.bidding.strategy import (
    Parameter,
    ParameterKind,
    Settings,
    Strategy,
    StrategySpec,
)
from auctionctl.cli.output import write_note
from auctionctl.client.fence import ASYNC_WORDS, Fenced, SparingNotes, is_signalled, words_of
from auctionctl.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP: Final = "auctionctl.strategies"
"""The group of entry points."""


def is_file(text: str) -> bool:
    """Whether ``text`` names a class in a file: ``path/to/file.py:Name``."""
    path, separator, name = text.rpartition(":")
    return bool(separator) and path.endswith(".py") and name.isidentifier()


def find_spec(text: str) -> StrategySpec:
    """The strategy that ``text`` names: one that comes along, FILE.py:NAME, or an entry point.

    Raises ConfigurationError for one that there is not, that cannot be loaded, or that is no strategy.
    """
    if text in SPECS:
        return SPECS[text]
    if is_file(text):
        path, _, name = text.rpartition(":")
        return _as_spec(text, _load_file(Path(path), name))
    for point in entry_points():
        if point.name == text:
            try:
                return _as_spec(text, point.load())
            except (Exception, SystemExit) as error:
                if isinstance(error, ConfigurationError) or is_signalled(error):
                    raise
                raise ConfigurationError(f"the strategy {text} ({point.value}): {words_of(error)}") from error
    known = [*SPECS, *(point.name for point in entry_points() if point.name not in SPECS)]
    raise ConfigurationError(f"unknown strategy {text[:80]!r}", hint=f"known: {', '.join(known)}; or FILE.py:CLASS")


def entry_points() -> Iterable[importlib.metadata.EntryPoint]:
    """The strategies that installed packages bring along; none of them is loaded. Names that come along stay ours."""
    return sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name)


def _load_file(path: Path, name: str) -> object:
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}", hint="a strategy of your own is FILE.py:CLASS")
    module_name = f"auctionctl_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by its name.
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if is_signalled(error):
            raise
        raise ConfigurationError(f"{path} cannot be loaded: {words_of(error)}") from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise ConfigurationError(f"there is no {name} in {path}") from error


def _as_spec(text: str, found: object) -> StrategySpec:
    if isinstance(found, StrategySpec):
        return found
    decide = getattr(found, "decide", None)
    if not inspect.isclass(found) or not callable(decide):
        raise ConfigurationError(
            f"the strategy {text} is neither a class with a method decide nor a StrategySpec",
            hint="see man 7 auctionctl-strategies",
        )
    if inspect.iscoroutinefunction(decide):
        raise ConfigurationError(f"the strategy {text}: {ASYNC_WORDS}", hint="see man 7 auctionctl-strategies")
    made: type[Any] = found
    note = SparingNotes(write_note)

    def build(settings: Settings) -> Strategy:
        try:
            return Fenced(made.__name__, made(**settings.texts), note)
        except (Exception, SystemExit) as error:
            if is_signalled(error):
                raise
            raise ConfigurationError(f"the strategy {made.__name__} cannot be made: {words_of(error)}") from error

    summary = (inspect.getdoc(made) or "of your own").partition("\n")[0]
    return StrategySpec(made.__name__, summary, _parameters_of(made), build, "your own")


def _parameters_of(made: type[Any]) -> tuple[Parameter, ...]:
    """What ``made`` can be called with, by name; each is handed over as text."""
    try:
        signature = inspect.signature(made)
    except (TypeError, ValueError):
        return ()
    return tuple(
        Parameter(
            each.name,
            ParameterKind.TEXT,
            "" if each.default is each.empty else str(each.default),
            "as the class reads it",
            is_required=each.default is each.empty,
        )
        for each in signature.parameters.values()
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    )
