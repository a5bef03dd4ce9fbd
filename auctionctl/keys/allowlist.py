"""Whom a house knows: the allow list as text and as a table.

One line an identity, ``KEY NAME k=v…``; ``#`` begins a comment. Rule: a list is taken whole or not at all, and an error
names the line; nothing that is not understood is passed over, since an option silently ignored is a limit not kept.
Source: DESIGN.md section 5.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from auctionctl.errors import AllowListError, KeyTextError
from auctionctl.keys.access import Access
from auctionctl.keys.encoding import NAME_HINT, is_name
from auctionctl.keys.signing import Identity

MAX_ENTRIES: Final = 10_000
MAX_TEXT_BYTES: Final = 4 * 1024 * 1024
MAX_MISTAKES: Final = 100

STRANGER: Final = "stranger"
STRANGER_BYTES: Final = 8
"""So much of a key is in the name of a stranger: nobody makes another key of the same name."""
OWN_LIMITS: Final = MappingProxyType(
    {
        "bids_per_s": (1, 1_000_000),
        "bids_burst": (1, 1_000_000),
        "read_bytes_per_s": (4_096, 1_000_000_000),
        "read_bytes_burst": (65_536, 1_000_000_000_000),
    }
)
"""Limits of a house that an identity may have of its own, by the names of its settings: the least, and the most."""
OWN_OPTIONS: Final = frozenset(OWN_LIMITS)

_ROLE_OPTION: Final = "role"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,15}")
_UNPRINTABLE: Final = re.compile(r"[^\t -~]")
# A comment begins where a word would, so that a value may hold '#'.
_COMMENT: Final = re.compile(r"(?:^|(?<=[ \t]))#.*")


class Role(enum.StrEnum):
    """What an identity may do in this house (DESIGN.md section 2)."""

    BIDDER = "bidder"
    SELLER = "seller"
    OPERATOR = "operator"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True)
class Entry:
    """One identity that may come in.

    ``role`` is as written: one of :class:`Role`, or several joined by ``+``. ``options`` are the rest, in order.
    """

    identity: Identity
    name: str
    role: str = Role.BIDDER.value
    options: tuple[tuple[str, str], ...] = ()

    @property
    def limits(self) -> Mapping[str, int]:
        """Those of OWN_LIMITS that are other ones for this identity, for an entry that came from :func:`parse`."""
        return {key: int(value) for key, value in self.options if key in OWN_LIMITS}

    @property
    def roles(self) -> frozenset[Role]:
        """The roles in ``role``, for an entry that came from :func:`parse`."""
        return frozenset(Role(word) for word in self.role.split("+"))


class AllowList:
    """The entries of one list, in the order of its lines, and by each of their keys. It never changes.

    ``shut_out`` are not let in as strangers either.
    """

    __slots__ = ("_by_name", "_by_signing", "_by_transport", "_shut_keys", "access", "shut_out")

    def __init__(
        self,
        numbered: Iterable[tuple[int, Entry]] = (),
        access: Access = Access.LISTED,
        shut_out: tuple[Identity, ...] = (),
    ) -> None:
        """From (line, entry) pairs; raises AllowListError where a key or a name stands for the second time."""
        self.access = access
        self.shut_out = shut_out
        self._shut_keys = frozenset(key for each in shut_out for key in (each.signing, each.transport))
        self._by_name: dict[str, Entry] = {}
        self._by_signing: dict[bytes, Entry] = {}
        self._by_transport: dict[bytes, Entry] = {}
        for line, entry in numbered:
            identity = entry.identity
            for what, earlier in (
                ("signing key", self._by_signing.get(identity.signing)),
                ("transport key", self._by_transport.get(identity.transport)),
                ("name", self._by_name.get(entry.name)),
            ):
                if earlier is not None:
                    raise AllowListError(
                        f"the {what} of {entry.name} is taken by {earlier.name}",
                        line=line,
                        hint="one line for each key and each name: take one of the two away",
                    )
            self._by_name[entry.name] = entry
            self._by_signing[identity.signing] = entry
            self._by_transport[identity.transport] = entry

    def by_signing(self, key: bytes) -> Entry | None:
        """Whose Ed25519 public key (32 bytes) this is."""
        return self._by_signing.get(key)

    def by_transport(self, key: bytes) -> Entry | None:
        """Whose Curve25519 public key (32 bytes) this is."""
        return self._by_transport.get(key)

    def by_name(self, name: str) -> Entry | None:
        """Who has this name."""
        return self._by_name.get(name)

    def entry_of(self, identity: Identity) -> Entry | None:
        """As what ``identity`` may come in: by its line, or as a stranger where those are let in; None: not at all.

        Either of its keys may stand here in another company: then it is neither the one nor a stranger.
        """
        entry = self._by_signing.get(identity.signing)
        if entry is not None:
            return entry if entry.identity == identity else None
        is_known = identity.transport in self._by_transport
        if (
            self.access is Access.LISTED
            or is_known
            or not self._shut_keys.isdisjoint((identity.signing, identity.transport))
        ):
            return None
        return Entry(identity, stranger_name(identity.signing))

    @property
    def own_limits(self) -> dict[bytes, dict[str, int]]:
        """Signing key → the limits that this identity has of its own, by their names; whoever has none is not in it."""
        return {entry.identity.signing: dict(entry.limits) for entry in self if entry.limits}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


def stranger_name(signing: bytes) -> str:
    """What whoever has this signing key is called where no list names it: 25 characters, of the key alone."""
    return f"{STRANGER}-{signing[:STRANGER_BYTES].hex()}"


def parse(text: str, *, option_keys: frozenset[str] = OWN_OPTIONS) -> AllowList:
    """The allow list written in ``text``: printable ASCII, at most 10,000 entries and 4 MiB.

    ``option_keys`` are those, besides ``role``, that the caller gives effect to; any other is refused, and so is what
    no limit can be. Raises AllowListError with the number of the line, counted from 1, and a hint (DESIGN.md section
    5).
    """
    if len(text) > MAX_TEXT_BYTES:
        raise AllowListError(
            f"an allow list has at most {MAX_TEXT_BYTES} bytes", line=text.count("\n", 0, MAX_TEXT_BYTES) + 1
        )
    numbered: list[tuple[int, Entry]] = []
    for number, line in enumerate(text.split("\n"), 1):
        _check_printable(line, number)
        words = _COMMENT.sub("", line).split()
        if not words:
            continue
        if len(numbered) == MAX_ENTRIES:
            raise AllowListError(f"an allow list has at most {MAX_ENTRIES} entries", line=number)
        numbered.append((number, _parse_entry(words, number, option_keys)))
    return AllowList(numbered)


def render(entry: Entry) -> str:
    """The line of ``entry``, without its end; it parses to the same entry if it parses at all."""
    options = entry.options if entry.role == Role.BIDDER else ((_ROLE_OPTION, entry.role), *entry.options)
    return " ".join((entry.identity.text, entry.name, *(f"{key}={value}" for key, value in options)))


def add_line(text: str, entry: Entry, *, option_keys: frozenset[str] = OWN_OPTIONS) -> str:
    """``text`` with a line for ``entry`` at its end, every line before it as it was.

    Raises AllowListError when the result would not parse to the old entries and this one (DESIGN.md section 5).
    """
    before = text if not text or text.endswith("\n") else text + "\n"
    after = f"{before}{render(entry)}\n"
    old = tuple(parse(before, option_keys=option_keys))
    # Read back what was written: a name with a line end in it would let a second identity in.
    if tuple(parse(after, option_keys=option_keys)) != (*old, entry):
        raise AllowListError("this entry cannot be written as one line", line=before.count("\n") + 1)
    return after


def replace_line(text: str, old: Entry, new: Entry, *, option_keys: frozenset[str] = OWN_OPTIONS) -> str:
    """``text`` with the line of ``old`` saying ``new``, its comment kept, and every other line as it was.

    Raises AllowListError when the result would not parse to the old entries with ``new`` in place of ``old``.
    """
    lines = text.split("\n")
    index = _line_of(lines, old)
    comment = _COMMENT.search(lines[index])
    lines[index] = render(new) + (f"  {comment[0]}" if comment else "")
    after = "\n".join(lines)
    expected = tuple(new if entry == old else entry for entry in parse(text, option_keys=option_keys))
    if tuple(parse(after, option_keys=option_keys)) != expected:
        raise AllowListError("this entry cannot be written as one line", line=index + 1)
    return after


def remove_line(text: str, entry: Entry) -> str:
    """``text``, a list that parses, without the line of ``entry``; every other line stays as it was."""
    lines = text.split("\n")
    del lines[_line_of(lines, entry)]
    return "\n".join(lines)


def _line_of(lines: list[str], entry: Entry) -> int:
    """Which of ``lines`` is that of ``entry``, which is one of theirs."""
    key = entry.identity.text
    return next(index for index, line in enumerate(lines) if line.split()[:1] == [key])


def find_mistakes(text: str, *, option_keys: frozenset[str] = OWN_OPTIONS) -> list[AllowListError]:
    """The mistakes in ``text``, by line, at most MAX_MISTAKES; none exactly if :func:`parse` takes it."""
    mistakes: list[AllowListError] = []
    numbered: list[tuple[int, Entry]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if len(mistakes) == MAX_MISTAKES:
            break
        try:
            numbered += [(number, entry) for entry in parse(line, option_keys=option_keys)]
        except AllowListError as error:
            mistakes.append(AllowListError(str(error).partition(": ")[2], line=number, hint=error.hint))
    while len(mistakes) < MAX_MISTAKES:
        try:
            AllowList(numbered)
            break
        except AllowListError as error:
            mistakes.append(error)
            numbered = [(number, entry) for number, entry in numbered if number != error.line]
    if not mistakes:
        try:
            parse(text, option_keys=option_keys)
        except AllowListError as error:  # of the list as a whole
            mistakes.append(error)
    return sorted(mistakes, key=lambda error: error.line)


def _check_printable(line: str, number: int) -> None:
    wrong = _UNPRINTABLE.search(line)
    if wrong is None:
        return
    column, character = wrong.start() + 1, wrong[0]
    if not character.isascii():
        raise AllowListError(f"character {column} is not ASCII", line=number, hint="names and comments are ASCII")
    hint = "save the file with Unix line ends" if character == "\r" else "remove it"
    raise AllowListError(f"character {column} is a control character", line=number, hint=hint)


def _parse_entry(words: list[str], number: int, option_keys: frozenset[str]) -> Entry:
    try:
        identity = Identity.from_text(words[0])
    except KeyTextError as error:
        raise AllowListError(str(error), line=number, hint=error.hint or "a line is: KEY NAME k=v…") from None
    if len(words) == 1:
        raise AllowListError("a name is missing", line=number, hint="a line is: KEY NAME k=v…")
    name = words[1]
    if not is_name(name):
        raise AllowListError(f"{name!a} is no name", line=number, hint=NAME_HINT)
    found: dict[str, str] = {}
    for word in words[2:]:
        key, separator, value = word.partition("=")
        if not separator or not value:
            raise AllowListError(f"{word!a} is no option", line=number, hint="options are k=v, without spaces")
        if key != _ROLE_OPTION and key not in option_keys:
            known = ", ".join(sorted((_ROLE_OPTION, *option_keys)))
            raise AllowListError(f"unknown option {key!a}", line=number, hint=f"known are: {known}")
        if key in found:
            raise AllowListError(f"option {key} stands twice", line=number, hint="take one of the two away")
        found[key] = value
    role = found.pop(_ROLE_OPTION, Role.BIDDER.value)
    _check_role(role, number)
    for key in found.keys() & OWN_OPTIONS:
        _check_limit(key, found[key], number)
    return Entry(identity, name, role, tuple(found.items()))


def _check_limit(key: str, text: str, number: int) -> None:
    low, high = OWN_LIMITS[key]
    if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
        raise AllowListError(f"{key} is {text[:40]!a}", line=number, hint=f"it is a number from {low} to {high}")


def _check_role(role: str, number: int) -> None:
    words = role.split("+")
    known = [member.value for member in Role]
    for word in words:
        if word not in known:
            hint = f"known are: {', '.join(known)}; several are joined by '+'"
            raise AllowListError(f"{word!a} is no role", line=number, hint=hint)
    if len(set(words)) != len(words):
        raise AllowListError(f"a role stands twice in {role!a}", line=number, hint="name each role once")
