"""The limits of a house that several instances keep together: one list for all of them, of which each takes its part.

Rule: what an instance reads in its settings otherwise than it read it last is a change, and holds for all from then on;
what its settings merely still say is none, so that no machine that was forgotten undoes what was changed at another.

Counts hold for the house as a whole, for whoever counts sees every log. A rate is divided by the number of instances
that live, and so is its burst: whatever an identity does, all of them together take no more of it than the settings
say, or one each where that is more, and none has to ask another. That is exact for whoever goes to all of them alike;
who has all its auctions at one is held to a part, which never is less than one a second. How many wait (``queue``) is a
matter of each process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Final

import msgspec

from auctionctl.house.limits import Limits

OWN: Final = frozenset({"queue"})
"""What each instance has for itself."""
RATES: Final = (
    "bids_per_s",
    "bids_burst",
    "all_bids_per_s",
    "stranger_bids_per_s",
    "stranger_bids_burst",
    "all_stranger_bids_per_s",
    "stranger_questions_per_s",
    "read_bytes_per_s",
    "read_bytes_burst",
)
"""What is divided among those that live."""
_Number = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
_NAMES: Final = tuple(each.name for each in fields(Limits) if each.name not in OWN)
_decode = msgspec.json.Decoder(dict[str, _Number]).decode


@dataclass(frozen=True, slots=True)
class PartOfLimits(Limits):
    """What one of ``instances`` takes. The limits that the allow list says for an identity are divided alike."""

    instances: int = 1

    def of_their_own(self, own: Mapping[bytes, Mapping[str, int]]) -> dict[bytes, Limits]:
        """As of the whole; the parts of all instances make up what the list says."""
        return {identity: replace(self, **_divided(its, self.instances)) for identity, its in own.items()}


def part_of(limits: Limits, instances: int) -> Limits:
    """What each of so many instances (at least one) takes where all of them together have these ``limits``."""
    if instances == 1:
        return limits
    whole = {each.name: getattr(limits, each.name) for each in fields(Limits)}
    return PartOfLimits(**_divided(whole, instances), instances=instances)


def _divided(limits: Mapping[str, int], instances: int) -> dict[str, int]:
    return {name: max(1, value // instances) if name in RATES else value for name, value in limits.items()}


def listed(limits: Limits) -> dict[str, int]:
    """What all instances have in common, by the names of the settings."""
    return {name: getattr(limits, name) for name in _NAMES}


def changed(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What ``after`` says otherwise; a limit that nobody knew ``before`` is none that has changed."""
    return {name: value for name, value in after.items() if before.get(name, value) != value}


def with_shared(limits: Limits, shared: Mapping[str, int]) -> Limits:
    """These, but for what is ``shared``; what a later version may share besides is left out."""
    return replace(limits, **{name: shared[name] for name in _NAMES if name in shared})


def write(shared: Mapping[str, int]) -> bytes:
    """The text of a list of limits."""
    return msgspec.json.encode(dict(sorted(shared.items())))


def read(text: bytes) -> dict[str, int]:
    """The list of limits of this text; nothing where it is none."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):  # The second for the name of a limit.
        return {}


def differing_words(here: Mapping[str, int], house: Mapping[str, int]) -> str:
    """In which limits the settings of a machine differ from those of all instances; empty where in none."""
    if not here:
        return ""
    said = ", ".join(f"{name} ({value} here, {house[name]} in force)" for name, value in here.items())
    return f"the settings here say other limits than those of all instances, which hold: {said}"
