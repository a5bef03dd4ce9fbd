"""What a house's process tells its supervisor of whom it lets in, and of how much it takes of anybody.

Part of what goes over the control socket: see :mod:`auctionctl.net.hops`.
"""

from __future__ import annotations

import msgspec

from auctionctl.house.limits import Limits


class AllowListTaken(msgspec.Struct, array_like=True, frozen=True, tag="allow_list_taken"):
    """The allow list of this text is in force from now on. For the supervisor alone, who starts the next house."""

    text: bytes


class AllowListKept(msgspec.Struct, array_like=True, frozen=True, tag="allow_list_kept"):
    """A new allow list is wrong: the one before stays in force."""

    reason: str


class AllowListReplaced(msgspec.Struct, array_like=True, frozen=True, tag="allow_list_replaced"):
    """The allow list of this machine gave way to that of all instances; ``unwritten`` says why its file did not.

    ``kept`` is the file that has what was changed here, and is in force nowhere.
    """

    unwritten: str = ""
    kept: str = ""


class LimitsTaken(msgspec.Struct, array_like=True, frozen=True, tag="limits_taken"):
    """The house takes so much here from now on. For the supervisor alone, who has gateways heed it."""

    limits: Limits


class LimitsDiffer(msgspec.Struct, array_like=True, frozen=True, tag="limits_differ"):
    """The settings of this machine say, of these limits, ``here``, and of all instances it is ``house`` that holds."""

    here: dict[str, int]
    house: dict[str, int]


class KeysListed(msgspec.Struct, array_like=True, frozen=True, tag="keys_listed"):
    """The allow list names keys that were revoked, or replaced, and are not let in for all that."""

    code: str
    words: str
