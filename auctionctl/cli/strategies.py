"""``strategies``: how one can bid, with which parameters, and who thought of it.

Rule: what is shown is what the strategies' own data say. Of those that other packages bring along, none is loaded
before it is asked for by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import argument
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document, write_facts, write_line, write_list, write_table

if TYPE_CHECKING:
    from auctionctl.bidding.strategy import StrategySpec

LS_SCHEMA: Final = "auctionctl.strategies-ls/1"
SHOW_SCHEMA: Final = "auctionctl.strategies-show/1"
_FIELDS: Final = {
    "name": "What `bid --strategy` calls it.",
    "summary": "What it does; null for one of another package, which is not loaded to be listed.",
    "source": "Where the idea was published; of another package its module and name.",
    "is_builtin": "Whether it comes along; false for one of another package, or of a file.",
    "parameters": "What can be set with `--param`, each with `name`, `kind` (`amount`, `factor`, `share`, `count`,"
    " `seconds` or `text`), `default` (null where there is none), `is_required` and `meaning`; null for one of another"
    " package, which is not loaded to be listed.",
}
JSON_SCHEMA: Final = {
    LS_SCHEMA: {
        "strategies": "All of them, each with the fields below. With `--output jsonl` each is a line of its own, under"
        " the same schema.",
        **_FIELDS,
    },
    SHOW_SCHEMA: _FIELDS,
}

app = typer.Typer(rich_markup_mode=None)
strategies_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Look at the strategies of bidders.")
app.add_typer(strategies_app, name="strategies", epilog="Example: auctionctl strategies show smart")


@strategies_app.command("ls", epilog="Example: auctionctl strategies ls")
@with_form
def ls(form: Form) -> int:
    """List the strategies that come along, and those of installed packages."""
    from auctionctl.bidding.strategies import SPECS  # noqa: PLC0415
    from auctionctl.cli.own_strategies import entry_points  # noqa: PLC0415

    records = [_record(spec, is_builtin=True) for spec in SPECS.values()]
    rows = [(spec.name, ", ".join(each.name for each in spec.parameters), spec.summary) for spec in SPECS.values()]
    for point in entry_points():
        if point.name not in SPECS:
            blank = {"summary": None, "source": point.value, "is_builtin": False, "parameters": None}
            records.append({"name": point.name, **blank})
            rows.append((point.name, "?", f"of another package: {point.value}"))
    write_list(form, LS_SCHEMA, "strategies", records, columns=("name", "parameters", "summary"), rows=rows)
    return ExitStatus.OK


@strategies_app.command("show", epilog="Example: auctionctl strategies show sniper")
@with_form
def show(
    form: Form,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, or FILE.py:CLASS, which is then loaded.")],
) -> int:
    """Show a strategy: what it does, its source, and its parameters with their kinds and defaults."""
    from auctionctl.bidding.strategies import SPECS  # noqa: PLC0415
    from auctionctl.cli.own_strategies import find_spec  # noqa: PLC0415

    with argument("NAME"):
        spec = find_spec(name)
    if form.is_json:
        write_document(SHOW_SCHEMA, _record(spec, is_builtin=name in SPECS))
        return ExitStatus.OK
    write_facts([("name", spec.name), ("summary", spec.summary), ("source", spec.source)])
    if spec.parameters:
        write_line("")
        rows = [
            (each.name, each.kind.value, "required" if each.is_required else each.default or "-", each.meaning)
            for each in spec.parameters
        ]
        write_table(form, ("parameter", "kind", "default", "meaning"), rows)
    return ExitStatus.OK


def _record(spec: StrategySpec, *, is_builtin: bool) -> dict[str, object]:
    parameters = [
        {
            "name": each.name,
            "kind": each.kind.value,
            "default": each.default or None,
            "is_required": each.is_required,
            "meaning": each.meaning,
        }
        for each in spec.parameters
    ]
    return {
        "name": spec.name,
        "summary": spec.summary,
        "source": spec.source,
        "is_builtin": is_builtin,
        "parameters": parameters,
    }
