"""All pages of the manual.

Rule: every command has its page, drawn from the program itself; what a program cannot say of itself is written by hand,
a module a page.
"""

from __future__ import annotations

import importlib
from typing import Final

from auctionctl.cli.manual.commands import command_pages, program
from auctionctl.cli.manual.roff import Page

HAND_WRITTEN: Final = (
    "auctionctl.cli.manual.api_page",
    "auctionctl.cli.manual.cluster_page",
    "auctionctl.cli.manual.house_page",
    "auctionctl.cli.manual.log_page",
    "auctionctl.cli.manual.market_page",
    "auctionctl.cli.manual.security_page",
    "auctionctl.cli.manual.strategies_page",
    "auctionctl.cli.manual.wire_page",
)
"""The modules that hold a page each, as a function ``page() -> Page``."""


def pages() -> tuple[Page, ...]:
    """Every page, by name."""
    written: list[Page] = [importlib.import_module(module).page() for module in HAND_WRITTEN]
    references = tuple(page.reference for page in written)
    return tuple(sorted([*command_pages(program(), references), *written], key=lambda page: (page.name, page.section)))
