"""What a house's registry was when this machine last saw it: the next visit has to find it extended.

A house can keep two registries, show one to some and the other to others, and sell one listing twice; each of them
verifies by itself. Rule: a head that was verified is kept before the command ends, and no head leaves the file before
a larger one was seen to extend it; what contradicts it is kept with it, and never overwritten. Source: DESIGN.md
section 7.

The file is a JSON object: ``house``, the identity, and ``heads``, each with ``size``, ``root`` in hex and the signed
``note``. There is one head, but where two commands that ran at once have seen the registry at different sizes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from auctionctl.cli.files import (
    PRIVATE_MODE,
    Existing,
    held_alone,
    is_there,
    make_private_directories,
    read_bounded,
    write_whole,
)
from auctionctl.cli.output import write_note
from auctionctl.cli.paths import Paths
from auctionctl.errors import ConfigurationError, NoteError, NotFoundError, VerificationError
from auctionctl.keys.signing import Identity
from auctionctl.replica.export import encode_export
from auctionctl.replica.registry import REGISTRY
from auctionctl.replica.replica import RegistryReplica
from auctionctl.tlog.checkpoint import open_checkpoint, origin_of

MAX_HEADS: Final = 16
"""More commands than these do not run at once; the largest heads stay."""
MAX_FILE_BYTES: Final = 100_000
RULE: Final = "registry"

Memory = Callable[[RegistryReplica, Sequence[bytes]], None]
"""Gets the registry and the canonical bytes of its entries whenever it has grown. May raise VerificationError."""


def forget(registry: RegistryReplica, entries: Sequence[bytes]) -> None:
    """The :data:`Memory` of a house that will soon be gone."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head of the registry, and the note in which the house signed it."""

    size: int
    root: bytes
    note: bytes


class SeenRegistry:
    """The memory of ``house``. To be made before the house is asked for anything: what is in it is older, then."""

    def __init__(self, paths: Paths, house: Identity) -> None:
        """Raises ConfigurationError if what was kept is damaged."""
        self._house = house
        self._origin = origin_of(house.text, REGISTRY)
        self._path = paths.seen_registry(house.text)
        self._earlier = self._read()
        self._seen_size = 0
        self._has_complained = False

    def check(self, registry: RegistryReplica, entries: Sequence[bytes]) -> None:
        """The :data:`Memory` of commands. Raises VerificationError if ``registry`` is another than was seen before."""
        head = registry.head
        if head is None:
            return
        if (contradicted := _contradicted(self._earlier, registry)) is not None:
            self._refuse(contradicted, registry, entries)
        self._earlier = [each for each in self._earlier if each.size > head.size]
        is_whole = registry.is_verified and not registry.is_behind
        if is_whole and self._earlier:
            # The house had signed for more before it was asked, and has nothing more to show.
            self._refuse(self._earlier[-1], registry, entries)
        if is_whole and head.size > self._seen_size:
            self._keep(registry, entries)
            self._seen_size = head.size

    def _keep(self, registry: RegistryReplica, entries: Sequence[bytes]) -> None:
        with ExitStack() as held:
            try:
                make_private_directories(self._path.parent)
                held.enter_context(held_alone(self._path.parent))
            except ConfigurationError as error:
                self._complain(error)
                return
            # Another command may have kept something meanwhile.
            known = self._read()
            contradicted = _contradicted(known, registry)
            if contradicted is None:
                self._replace(known, registry)
        if contradicted is not None:
            # Only now, as the evidence is kept under the same lock.
            self._refuse(contradicted, registry, entries)

    def _replace(self, known: list[Head], registry: RegistryReplica) -> None:
        """Larger heads than this one stay, for the next visit to compare."""
        assert registry.head is not None
        own = Head(registry.head.size, registry.head.root, registry.head_note)
        same = [each for each in known if each.size == own.size]
        heads = [*(same[:1] or [own]), *(each for each in known if each.size > own.size)][-MAX_HEADS:]
        if heads == known:
            return
        try:
            write_whole(self._path, self._encode(heads), PRIVATE_MODE, Existing.REPLACE)
        except ConfigurationError as error:
            self._complain(error)

    def _complain(self, error: ConfigurationError) -> None:
        if not self._has_complained:
            self._has_complained = True
            write_note(f"warning: the next command cannot compare this house's registry with today's: {error}")

    # The file

    def _encode(self, heads: Iterable[Head]) -> bytes:
        records = [{"size": each.size, "root": each.root.hex(), "note": each.note.decode()} for each in heads]
        document = {"house": self._house.text, "heads": records}
        return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"

    def _read(self) -> list[Head]:
        """What was kept, the smallest first; nothing if there is no file."""
        try:
            data = read_bounded(self._path, MAX_FILE_BYTES)
        except NotFoundError:
            return []
        except ConfigurationError as error:
            error.hint = f"it holds what this machine knows of the house's registry: {self._remedy()}"
            raise
        try:
            document = json.loads(data)
            if document["house"] != self._house.text or not document["heads"]:
                raise ValueError("it is about another house")
            return sorted(map(self._decode, document["heads"]), key=lambda head: head.size)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, NoteError) as error:
            raise ConfigurationError(
                f"{self._path} is damaged: what this machine knows of the house's registry cannot be compared",
                hint=self._remedy(),
            ) from error

    def _remedy(self) -> str:
        return f"restore {self._path.name} from a copy, or remove it, and nothing that was seen before is compared"

    def _decode(self, record: dict[str, object]) -> Head:
        note = str(record["note"]).encode()
        checkpoint = open_checkpoint(note, self._origin, self._house.signing)
        if (checkpoint.size, checkpoint.root.hex()) != (record["size"], record["root"]):
            raise ValueError("size and root are not those of the note")
        return Head(checkpoint.size, checkpoint.root, note)

    # The evidence

    def _refuse(self, earlier: Head, registry: RegistryReplica, entries: Sequence[bytes]) -> NoReturn:
        assert registry.head is not None
        size = registry.head.size
        what = (
            f"its first {earlier.size} entries are others than it signed for"
            if size >= earlier.size
            else f"it has {size} entries, and the house had signed for {earlier.size}"
        )
        now = encode_export(entries[:size], registry.head_note)
        try:
            kept = f"the evidence is kept: {self._keep_evidence(earlier.note, registry.head_note, now)}"
        except ConfigurationError as error:
            kept = f"the evidence could not be kept: {error}"
        raise VerificationError(
            f"this house shows another registry than before: {what}; {kept}",
            rule=RULE,
            hint="believe nothing that it says now: ask its operator whether an old copy was restored, and show both"
            f" notes to others who deal with it; if you are satisfied, remove {self._path} to begin anew",
        )

    def _keep_evidence(self, before: bytes, now: bytes, registry: bytes) -> str:
        make_private_directories(self._path.parent)
        contents = {"before.note": before, "now.note": now, "now.auction": registry}
        stem = f"{self._path.name}-"
        with held_alone(self._path.parent):
            for found in sorted(self._path.parent.glob(f"{stem}*-before.note")):
                start = found.name.removesuffix("before.note")
                if all(_holds(found.with_name(start + end), data) for end, data in contents.items()):
                    return str(found.with_name(start + "*"))
            now_ns = time.time_ns()
            moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now_ns // 1_000_000_000))
            start = f"{stem}{moment}.{now_ns % 1_000_000_000:09}Z-"
            for end, data in contents.items():
                write_whole(self._path.with_name(start + end), data, PRIVATE_MODE, Existing.REFUSE)
        return str(self._path.with_name(start + "*"))


def _contradicted(earlier: Iterable[Head], registry: RegistryReplica) -> Head | None:
    """The first of these heads that ``registry``, which has reached it, does not extend."""
    assert registry.head is not None
    size = registry.head.size
    return next((each for each in earlier if each.size <= size and registry.root(each.size) != each.root), None)


def _holds(path: Path, data: bytes) -> bool:
    return is_there(path) and path.stat().st_size == len(data) and read_bounded(path, len(data)) == data
