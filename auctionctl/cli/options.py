"""The options that several commands share, worded once."""

from __future__ import annotations

from typing import Annotated

import typer

KeyOption = Annotated[
    str | None,
    typer.Option("--key", metavar="NAME", help="Your key; may be left out if there is only one, or one 'default'."),
]
HouseOption = Annotated[
    str | None,
    typer.Option(
        "--house",
        metavar="ADDR",
        help="The house, auction://auc1…@host:port; else $AUCTIONCTL_HOUSE, else the local one.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON objects, one a line.")]
