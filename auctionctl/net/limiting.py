"""The limits in force at an instance of a house: those of all instances, of which it takes its part.

Rule: of a house of one instance the settings are in force, from a reload on. Of several the list in the stream is: a
change in the settings of one, at a reload or since it ran last, is written there, and all take it from there. Where the
settings of this machine say something else than the list, that is told, and it has no effect. What cannot be written is
not in force, and is tried again. Source: :mod:`auctionctl.house.shared_limits`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import StoreBrokenError, StoreError
from auctionctl.house.condition import LIMITS_DIFFER, LIMITS_UNSHARED
from auctionctl.house.house import House
from auctionctl.house.limits import Limits
from auctionctl.house.shared_limits import changed, differing_words, listed, part_of, read, with_shared, write
from auctionctl.net.admission_news import LimitsDiffer, LimitsTaken
from auctionctl.net.child_words import encode
from auctionctl.net.control import send_control
from auctionctl.net.house_store import check_auctions
from auctionctl.net.house_words import StartHouse
from auctionctl.store.cluster_signs import Shared, SharedList
from auctionctl.store.cluster_store import ClusterStore
from auctionctl.store.sqlite import SqliteStore

AGAIN_NS: Final = 10 * SECOND_NS
"""How long after it failed a change is written once more."""
FILE_NAME: Final = "limits"
MAX_BYTES: Final = 65_536


def limiting_of(
    start: StartHouse, control: socket.socket, house: House, store: SqliteStore | ClusterStore
) -> Limiting | SharedLimiting:
    """The limits of the house that ``start`` starts; ``control`` leads to the supervisor."""
    if start.instance is None or not isinstance(store, ClusterStore):
        return Limiting(control, house, is_in_cluster=isinstance(store, ClusterStore))
    limiting = SharedLimiting(control, house, store, start.limits, LimitsSeen(Path(start.state)))
    if start.allowed_before is None:
        limiting.compare()
    # Else its process has died: what it is given anew are settings of before, and a reload that it may have died in
    # is made once more.
    return limiting


class LimitsSeen:
    """The file ``limits`` in the state ``directory``: what this instance's settings said when it read them last.

    It has to be durable, for an old one has a change made once more, and another one that came after it undone.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._kept: bytes | None = None

    def read(self) -> dict[str, int]:
        """What was kept last; nothing where there is no file, or it holds something else."""
        try:
            with open(self.path, "rb") as file:
                return read(file.read(MAX_BYTES))
        except OSError:
            return {}

    def keep(self, limits: Mapping[str, int]) -> None:
        """Remember these; durable on return. Raises OSError."""
        if (text := write(limits)) == self._kept:
            return
        new = self.path.with_name(f"{FILE_NAME}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        self._kept = text


class Limiting:
    """A house of one instance: what its settings say is in force."""

    def __init__(self, control: socket.socket, house: House, *, is_in_cluster: bool) -> None:
        self._control = control
        self._house = house
        self._is_in_cluster = is_in_cluster

    def check(self, limits: Limits) -> None:
        """Raises ConfigurationError if the store cannot keep up with these."""
        if self._is_in_cluster:
            check_auctions(limits)

    def reload(self, limits: Limits, now_ns: int) -> None:  # noqa: ARG002 - for one of several it is written down
        """The settings say these now."""
        self._take(limits)

    def look(self, now_ns: int) -> None:
        """Now and then: to be called after each look at what other instances have written."""

    def _take(self, limits: Limits) -> None:
        if limits != self._house.limits:
            self._house.limits = limits
            send_control(self._control, encode(LimitsTaken(limits)))


class SharedLimiting(Limiting):
    """One instance of several. ``own`` is what its settings say at its start; ``seen`` what they said before.

    Of what has changed between the two :meth:`compare` is to be told.
    """

    def __init__(
        self, control: socket.socket, house: House, store: ClusterStore, own: Limits, seen: LimitsSeen
    ) -> None:
        super().__init__(control, house, is_in_cluster=True)
        self._store = store
        self._own = own
        self._seen = seen
        self._read = seen.read()
        """What the settings said when they were read last."""
        self._changed: dict[str, int] = {}
        """What has changed here, and is not written yet."""
        self._again_ns = self._keep_again_ns = 0
        self._text: SharedList | None = None
        self._shared: dict[str, int] = {}
        self._said: dict[str, int] = {}
        self._obey()

    def reload(self, limits: Limits, now_ns: int) -> None:
        """The settings say these now: what they said otherwise before holds for all."""
        self._own = limits
        self.compare()
        self._again_ns = self._keep_again_ns = 0
        self.look(now_ns)

    def compare(self) -> None:
        """The settings were read just now: what they said otherwise before has changed."""
        after = listed(self._own)
        self._changed |= changed(self._read, after)
        self._read = after

    def look(self, now_ns: int) -> None:
        """Write what has changed here, and heed what others have changed, and which of them live."""
        self._hear()
        wanted = {**listed(self._own), **self._shared, **self._changed}
        if wanted == self._shared or (now_ns >= self._again_ns and self._write(wanted, now_ns)):
            self._changed = {}
            self._keep(now_ns)
        self._obey()

    def _keep(self, now_ns: int) -> None:
        if not self._read or now_ns < self._keep_again_ns:
            return
        try:
            self._seen.keep(self._read)
        except OSError as error:
            self._keep_again_ns = now_ns + AGAIN_NS
            self._house.warnings.say(
                LIMITS_UNSHARED,
                f"{self._seen.path} cannot be written ({(error.strerror or '').lower()}): after a restart this"
                " instance's limits may undo what was changed at another",
            )
        else:
            self._house.warnings.take_back(LIMITS_UNSHARED)

    def _write(self, wanted: Mapping[str, int], now_ns: int) -> bool:
        """Have these be the limits of all; False if another change came first: then this one is made to that, later."""
        try:
            is_written = self._store.share(write(wanted), now_ns, Shared.LIMITS)
        except StoreBrokenError:
            raise
        except StoreError as error:
            self._again_ns = now_ns + AGAIN_NS
            self._house.warnings.say(LIMITS_UNSHARED, f"limits that were changed here are not in force yet: {error}")
            return False
        self._hear()
        return is_written

    def _hear(self) -> None:
        text = self._store.shared(Shared.LIMITS)
        if text is not self._text and text is not None:
            self._text, self._shared = text, read(text.text)

    def _obey(self) -> None:
        self._hear()
        limits = with_shared(self._own, self._shared)
        company = self._house.company
        living = {each.name for each in company.instances if each.is_alive} | {company.name}
        self._take(part_of(limits, len(living)))
        differs = changed(listed(self._own), listed(limits))
        if differs != self._said:
            self._said = differs
            here = {name: getattr(self._own, name) for name in differs}
            self._house.warnings.put(LIMITS_DIFFER, differing_words(here, differs))
            if differs:
                send_control(self._control, encode(LimitsDiffer(here, differs)))
