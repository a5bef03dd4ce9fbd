"""What proves that a house broke its word, on disk before anybody hears of it.

Rule: a case is a directory, ``<time>-<rule>``, in the state directory; nothing in it is ever overwritten, and the same
evidence is kept once, however often the house is asked again. Source: DESIGN.md section 7.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from auctionctl.client.files import (
    PRIVATE_MODE,
    Existing,
    is_there,
    make_private_directories,
    read_bounded,
    shown,
    write_whole,
)
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError, VerificationError

HINT: Final = "show it to others who deal with this house, and deal with it no more"


@contextmanager
def keeping_evidence(paths: Paths) -> Iterator[None]:
    """Whatever a VerificationError has with it, to show to others, is on disk when it leaves here."""
    try:
        yield
    except VerificationError as error:
        if error.evidence:
            error.hint = f"{_keep(paths, error)}; {error.hint or HINT}"
        raise


def _keep(paths: Paths, error: VerificationError) -> str:
    try:
        return f"the evidence is kept in {shown(_find(paths, error) or _write(paths, error))}"
    except ConfigurationError as trouble:
        return f"the evidence could not be kept: {trouble}"


def _find(paths: Paths, error: VerificationError) -> Path | None:
    """Where the same evidence is already."""
    for case in sorted(paths.evidence.glob(f"*Z-{error.rule}")):
        if all(_holds(case / name, data) for name, data in error.evidence.items()):
            return case
    return None


def _holds(path: Path, data: bytes) -> bool:
    return is_there(path) and path.stat().st_size == len(data) and read_bounded(path, len(data)) == data


def _write(paths: Paths, error: VerificationError) -> Path:
    now_ns = time.time_ns()
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now_ns // 1_000_000_000))
    directory = paths.evidence / f"{moment}.{now_ns % 1_000_000_000:09}Z-{error.rule}"
    make_private_directories(directory)
    for name, data in error.evidence.items():
        write_whole(directory / name, data, PRIVATE_MODE, Existing.REFUSE)
    return directory
