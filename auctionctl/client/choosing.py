"""Which auctions of a house a name, the first digits of an id, or a pattern means.

Rule: nothing is guessed where two answers are possible; the error then names them all.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from auctionctl.client.receipts import short_id
from auctionctl.errors import NotFoundError

if TYPE_CHECKING:
    from auctionctl.auction.terms import Terms

MIN_PREFIX_DIGITS: Final = 4
MAX_CANDIDATES: Final = 8


def choose_auctions(catalogue: Mapping[bytes, Terms], wanted: Sequence[str]) -> set[bytes]:
    """The auctions (32 bytes each) that ``wanted`` names, by listing or by at least four digits of the id.

    Raises NotFoundError with the candidates where a name fits none, or more than one.
    """
    return {_choose_auction(catalogue, name) for name in wanted}


def _choose_auction(catalogue: Mapping[bytes, Terms], name: str) -> bytes:
    fitting = [auction for auction, terms in catalogue.items() if terms.listing == name]
    if not fitting and len(name) >= MIN_PREFIX_DIGITS:
        fitting = [auction for auction in catalogue if auction.hex().startswith(name.lower().removesuffix("…"))]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NotFoundError(
            f"{name!r} fits {len(fitting)} auctions: {_candidates(catalogue, fitting)}", hint="give more digits"
        )
    if not catalogue:
        raise NotFoundError(f"there is no auction {name!r}: this house holds none")
    listings = [terms.listing for terms in catalogue.values()]
    close = difflib.get_close_matches(name, listings, n=1)
    raise NotFoundError(
        f"there is no auction {name!r}; there are: {_candidates(catalogue, list(catalogue))}",
        hint=f"did you mean {close[0]}?" if close else "give a listing, or the first digits of an id (at least 4)",
    )


def match_auctions(catalogue: Mapping[bytes, Terms], patterns: Sequence[str]) -> set[bytes]:
    """The auctions whose listing fits one of ``patterns``, a shell's; NotFoundError where one of them fits none."""
    found: set[bytes] = set()
    for pattern in patterns:
        fitting = {auction for auction, terms in catalogue.items() if fnmatchcase(terms.listing, pattern)}
        if not fitting:
            there_are = _candidates(catalogue, list(catalogue)) or "none"
            raise NotFoundError(
                f"no auction fits {pattern!r}; there are: {there_are}", hint="quote it, as in --match 'gpu-*'"
            )
        found |= fitting
    return found


def _candidates(catalogue: Mapping[bytes, Terms], auctions: Sequence[bytes]) -> str:
    return listed([f"{short_id(auction)} ({catalogue[auction].listing})" for auction in auctions])


def chosen_by(wanted: Sequence[str], patterns: Sequence[str]) -> Callable[[Mapping[bytes, Terms]], set[bytes]]:
    """What finds, in a catalogue, the auctions that ``wanted`` names and those that fit ``patterns``."""
    return lambda catalogue: choose_auctions(catalogue, wanted) | match_auctions(catalogue, patterns)


def listed(names: Sequence[str]) -> str:
    """The first few of ``names``, and how many more there are."""
    more = len(names) - MAX_CANDIDATES
    return ", ".join(names[:MAX_CANDIDATES]) + (f" and {more} more" if more > 0 else "")
