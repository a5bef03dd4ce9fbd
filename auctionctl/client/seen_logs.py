"""What a house's logs were when this machine last saw them: the next visit has to find each of them extended.

A house can show one log to some and another to others, or go on from an older copy of its store, and each log verifies
by itself. Rule: a head that was verified is kept before the command ends (in a long one, within seconds), and no head
leaves the file before a larger one was seen to extend it. Whether a log extends what is kept is
:class:`~auctionctl.replica.replica.LogReplica`'s to tell. Source: DESIGN.md sections 7 and 8.

The file is a JSON object: ``house``, the identity, and ``logs``: ``registry`` or the hexadecimal id of an auction → its
heads, each with ``size``, ``root`` in hex and the signed ``note``. There is one head a log, but where two commands that
ran at once have seen it at different sizes.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Protocol

from auctionctl.client.evidence import keeping_evidence
from auctionctl.client.files import (
    PRIVATE_MODE,
    Existing,
    held_alone,
    make_private_directories,
    read_bounded,
    write_whole,
)
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError, HistoryChangedError, NoteError, NotFoundError, VerificationError
from auctionctl.keys.signing import Identity
from auctionctl.replica.export import encode_export
from auctionctl.replica.follower import Advanced, Follower, RegistryAdvanced
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.replica.replica import Head, LogReplica
from auctionctl.tlog.checkpoint import open_checkpoint, origin_of
from auctionctl.tlog.entry import encode

MAX_HEADS: Final = 16
"""More commands than these do not run at once; the largest heads of a log stay."""
MAX_LOGS: Final = 20_000
"""Of more auctions at one house, those that have not changed for longest are forgotten."""
MAX_FILE_BYTES: Final = 1 << 26
SAVE_S: Final = 1.0
"""How long what was seen may wait to be kept."""
SAVING_SHARE: Final = 20
"""Of many logs, saving takes one in so many seconds at most."""

Records = dict[str, list[dict[str, Any]]]


class Memory(Protocol):
    """What a session is told of other sessions, and tells them."""

    def heads_of(self, log: bytes) -> Sequence[Head]:
        """What is known of a log (an auction's id, or empty). Raises ConfigurationError if that is damaged."""
        ...

    def saw(self, replica: LogReplica[Any]) -> None:
        """This log has a larger head, verified and whole."""
        ...

    def save_some(self) -> None:
        """Keep what was seen, if it is time."""
        ...

    def save(self) -> None:
        """Keep what was seen. Raises HistoryChangedError if another session, at the same time, saw another log."""
        ...


class Forgetful:
    """The :class:`Memory` of a house that will soon be gone."""

    def heads_of(self, log: bytes) -> Sequence[Head]:  # noqa: ARG002 - the shape of a Memory
        """Nothing."""
        return ()

    def saw(self, replica: LogReplica[Any]) -> None:
        """Forgotten at once."""

    def save_some(self) -> None:
        """Nothing to keep."""

    def save(self) -> None:
        """Nothing to keep."""


class SeenLogs:
    """The memory of ``house``. To be made before the house is asked for anything: what is in it is older, then."""

    def __init__(self, paths: Paths, house: Identity) -> None:
        """Raises ConfigurationError if what was kept is damaged."""
        self._house = house
        self._path = paths.seen_logs(house.text)
        self._known = self._read()
        self._fresh: dict[bytes, LogReplica[Any]] = {}
        self._saved_s = 0.0
        self._saving_s = 0.0
        self._has_complained = False

    def heads_of(self, log: bytes) -> Sequence[Head]:
        """As of any :class:`Memory`."""
        return self._open(log, self._known)

    def saw(self, replica: LogReplica[Any]) -> None:
        """As of any :class:`Memory`."""
        self._fresh[replica.log_id] = replica

    def save_some(self) -> None:
        """As of any :class:`Memory`."""
        if time.monotonic() - self._saved_s >= max(SAVE_S, SAVING_SHARE * self._saving_s):
            self.save()

    def save(self) -> None:
        """As of any :class:`Memory`. What cannot be kept is said once, and ends nothing."""
        if not self._fresh:
            return
        start_s = time.monotonic()
        fresh, self._fresh = self._fresh, {}
        with ExitStack() as held:
            try:
                make_private_directories(self._path.parent)
                held.enter_context(held_alone(self._path.parent))
                # Another command may have kept something meanwhile.
                known = self._read()
                for replica in fresh.values():
                    self._merge(known, replica)
                self._write(known)
            except ConfigurationError as error:
                if not self._has_complained:
                    self._has_complained = True
                    self._complain(f"the next command cannot compare this house's logs with today's: {error}")
        self._saved_s = time.monotonic()
        self._saving_s = self._saved_s - start_s

    def _complain(self, words: str) -> None:
        """Tell whoever runs this of what ends nothing."""
        logging.getLogger(__name__).warning(words)

    def _merge(self, known: Records, replica: LogReplica[Any]) -> None:
        """Put the head of ``replica`` into ``known``. Larger ones than this stay, for the next visit to compare."""
        assert replica.head is not None
        size, root, name = replica.head.size, replica.head.root, _name_of(replica.log_id)
        larger = []
        for head in self._open(replica.log_id, known):
            if head.size > size:
                larger.append(head)
            else:
                replica.hold(head)
        heads = [Head(size, root, replica.head_note), *larger][-MAX_HEADS:]
        known.pop(name, None)  # what has changed last stands last
        known[name] = [{"size": each.size, "root": each.root.hex(), "note": each.note.decode()} for each in heads]

    def _write(self, known: Records) -> None:
        for name in [name for name in known if name != REGISTRY][: max(0, len(known) - MAX_LOGS)]:
            del known[name]
        document = {"house": self._house.text, "logs": known}
        data = json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"
        write_whole(self._path, data, PRIVATE_MODE, Existing.REPLACE)

    # The file

    def _read(self) -> Records:
        """What was kept; nothing if there is no file. The notes are looked at when their log is."""
        try:
            data = read_bounded(self._path, MAX_FILE_BYTES)
        except NotFoundError:
            return {}
        except ConfigurationError as error:
            error.hint = f"it holds what this machine knows of the house's logs: {self._remedy()}"
            raise
        try:
            document = json.loads(data)
            records = document["logs"]
            if document["house"] != self._house.text or not all(map(_is_list_of_heads, records.values())):
                raise ValueError("it is about another house, or of another form")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._damaged() from error
        return dict(records)

    def _open(self, log: bytes, known: Records) -> list[Head]:
        """The heads of ``log`` in ``known``, the smallest first."""
        name = _name_of(log)
        origin = origin_of(self._house.text, REGISTRY if log == REGISTRY_ID else f"auction/{name}")
        heads = []
        for record in known.get(name, ()):
            try:
                note = record["note"].encode()
                checkpoint = open_checkpoint(note, origin, self._house.signing)
            except (NoteError, UnicodeEncodeError) as error:  # JSON can spell half a character
                raise self._damaged() from error
            if (checkpoint.size, checkpoint.root.hex()) != (record.get("size"), record.get("root")):
                raise self._damaged()
            heads.append(Head(checkpoint.size, checkpoint.root, note))
        return sorted(heads)

    def _damaged(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self._path} is damaged: what this machine knows of the house's logs cannot be compared",
            hint=self._remedy(),
        )

    def _remedy(self) -> str:
        return f"restore {self._path.name} from a copy, or remove it, and nothing that was seen before is compared"


def _name_of(log: bytes) -> str:
    return REGISTRY if log == REGISTRY_ID else log.hex()


def _is_list_of_heads(records: object) -> bool:
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(each, dict) and isinstance(each.get("note"), str) for each in records)
    )


class FollowedLogs:
    """What one session sees of every log that it follows: heads for its memory, entries for files and for evidence."""

    def __init__(self, memory: Memory, paths: Paths, follower: Follower) -> None:
        self.entries: dict[bytes, list[bytes]] = {}
        """Auction, or empty for the registry → the canonical bytes of every entry of its replica."""
        self._memory = memory
        self._paths = paths
        self._follower = follower

    def take(self, notice: object) -> None:
        """Note what a notice brings of a log; others bring nothing."""
        match notice:
            case Advanced(auction=log, is_current=is_current):
                replica: LogReplica[Any] = self._follower.replicas[log]
            case RegistryAdvanced(is_current=is_current):
                log, replica = REGISTRY_ID, self._follower.registry
            case _:
                return
        self.entries.setdefault(log, []).extend(encode(each.entry) for each in notice.applied)
        if is_current:
            self._memory.saw(replica)

    def tick(self) -> None:
        """Some time has passed."""
        self._memory.save_some()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what is seen in here, however it ends; and tell people of a log that is not what it was.

        That is a VerificationError, and both notes, and the log as far as it was shown, are on disk by then.
        """
        with keeping_evidence(self._paths):
            try:
                try:
                    yield
                finally:
                    self._memory.save()
            except HistoryChangedError as error:
                raise _told(error, self._paths, self._follower, self.entries) from error


def _told(
    error: HistoryChangedError, paths: Paths, follower: Follower, entries: Mapping[bytes, Sequence[bytes]]
) -> VerificationError:
    evidence = {"before.note": error.before, "now.note": error.now}
    if error.log == REGISTRY_ID:
        replica: LogReplica[Any] = follower.registry
        what = "another registry"
    else:
        replica = auction = follower.replica(error.log)
        listing = "" if auction.replay.auction is None else f" {auction.replay.state.terms.listing}"
        what = f"another log of the auction{listing} ({error.log.hex()[:12]}…)"
    shown = (*entries.get(error.log, ()), *error.entries)
    if replica.head is not None and replica.head.size <= len(shown):
        announcement = follower.announcements.get(error.log, b"")
        evidence["log.auction"] = encode_export(shown[: replica.head.size], replica.head_note, announcement)
    return VerificationError(
        f"this house shows {what} than before: {error.words}",
        rule=error.rule,
        evidence=evidence,
        hint="believe nothing that it says now: ask its operator whether an old copy was restored, and show both notes"
        " to others who deal with it; if you are satisfied, begin anew by removing"
        f" {paths.seen_logs(follower.house.text)}",
    )
