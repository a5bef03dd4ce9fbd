"""auctionctl-house(5): the files that a house is run from, from the tables by which they are read."""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph
from auctionctl.cli.manual.surroundings import PLACES
from auctionctl.cli.settings.house_file import DEFAULT_SETTINGS, HOUSE_SETTINGS
from auctionctl.cli.settings.setting import Kind, Setting

LOT_MEANINGS: Final = {
    "item": "What is sold, in up to 200 characters. Required.",
    "starting_price": 'The least first bid, such as `"200.00EUR"`; it says the currency of the lot. Required.',
    "listing": "The name of the auction at this house, by default made of `item`. The same listing resumes its auction:"
    " it is never sold twice.",
    "description": "More about it, in up to 4000 characters.",
    "estimate": "What the seller holds it worth; strategies go by it where no value is given.",
    "reserve_price": "Below this it is not sold. The terms hold a commitment to it, which is opened at the close.",
    "format": "The rules of bidding; `english` is the only one so far, and the default.",
}
"""The keys that every lot says for itself; the others have defaults."""

HOUSE_EXAMPLE: Final = """\
name = "house"
bind = "0.0.0.0"
port = 8888
max_concurrent_auctions = 20

[defaults]
duration = "10m"
soft_close = "30s"
increment = "5%"
"""

AUCTIONS_EXAMPLE: Final = """\
[house]
port = 9000

[defaults]
min_bidders = 2

[[auction]]
item = "Gold watch, 1962"
starting_price = "200.00EUR"
reserve_price = "800.00EUR"
increment = [["0", "10.00"], ["500", "25.00"]]

[[auction]]
item = "Sketch, unsigned"
listing = "sketch"
starting_price = "50.00EUR"
duration = "1h"
"""

DURATIONS: Final = 'A duration is a number and a unit: `"500ms"`, `"30s"`, `"5m"`, `"1h"`, `"30d"`.'


def page() -> Page:
    """The page."""
    return Page(
        name="auctionctl-house",
        section=5,
        title="the settings of a house, and the lots that it sells",
        parts=(
            Heading("Description"),
            Paragraph(
                "A house has settings, and lots to sell. Its settings stand in `house.toml`, in the directory of the"
                " configuration; its lots in a file that is usually called `AUCTIONS.toml` and that is given to"
                " `auctionctl serve`. Both are TOML files. Such a file is checked as a whole before anything starts:"
                " either every lot can be auctioned, or none is announced, and a key that is not known is an error."
            ),
            Paragraph(
                "A setting is looked for in the options of `auctionctl serve`, then in the table `[house]` of"
                " AUCTIONS.toml, then in house.toml; the first that says it holds. What lots leave out is looked for in"
                " `[defaults]` of AUCTIONS.toml, then of house.toml."
            ),
            Paragraph(DURATIONS),
            Heading("Settings of the house"),
            Paragraph("At the top level of house.toml, or in the table `[house]` of AUCTIONS.toml:"),
            Definitions(tuple(_definition(setting) for setting in HOUSE_SETTINGS)),
            Heading("Defaults of lots"),
            Paragraph("In the table `[defaults]` of either file; a lot that says them itself overrides them:"),
            Definitions(tuple(_definition(setting) for setting in DEFAULT_SETTINGS)),
            Heading("Lots"),
            Paragraph("Each `[[auction]]` of AUCTIONS.toml is a lot. It may have the keys of `[defaults]`, and:"),
            Definitions(tuple((f"`{key}`", meaning) for key, meaning in LOT_MEANINGS.items())),
            Heading("Files"),
            Definitions(((f"`{PLACES.config}/house.toml`", "The settings of the house."),)),
            Heading("Examples"),
            Paragraph("A house.toml:"),
            Code(HOUSE_EXAMPLE),
            Paragraph("An AUCTIONS.toml:"),
            Code(AUCTIONS_EXAMPLE),
        ),
        see_also=("auctionctl(1)", "auctionctl-serve(1)"),
    )


def _definition(setting: Setting) -> tuple[str, str]:
    kind = f"from {setting.low} to {setting.high}" if setting.kind is Kind.INTEGER else ""
    said = [setting.meaning, f"It is {setting.kind.value}{', ' + kind if kind else ''}."]
    default = setting.default_text if setting.default is None else f"`{setting.default_text}`"
    said.append(f"Default: {default}.")
    if setting.needs_restart:
        said.append("A change holds from the next start on.")
    return f"`{setting.name}`", " ".join(said)
