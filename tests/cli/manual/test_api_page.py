"""The page of the library names what there is."""

from __future__ import annotations

import auctionctl
from auctionctl.cli.manual.api_page import COUNTERPARTS, NAMES


def test_every_name_of_the_library_has_its_meaning() -> None:
    assert sorted(NAMES) == sorted(auctionctl.__all__)


def test_every_counterpart_is_a_name_of_the_library() -> None:
    for _, here in COUNTERPARTS:
        name = here.split("`")[1].partition(".")[0]
        assert name in auctionctl.__all__, here
