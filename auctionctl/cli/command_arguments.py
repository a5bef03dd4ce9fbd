"""Arguments that the commands about an auction share: those of :mod:`operate` and of :mod:`settle`."""

from __future__ import annotations

from typing import Annotated

import typer

ListingOrId = Annotated[str, typer.Argument(metavar="ID", help="The auction, by listing or first digits.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for everybody to read.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what the rules would say, and send nothing.")]
