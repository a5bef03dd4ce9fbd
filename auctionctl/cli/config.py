"""``config``: where the settings are, what they say, who said it, and whether the files are right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import (
    ContextOption,
    HouseOption,
    JsonOption,
    KeyOption,
    OutputOption,
    form_of,
    with_form_despite_files,
)
from auctionctl.cli.output import Form, write_document, write_line, write_list, write_note
from auctionctl.cli.settings.choices import DEFAULT_ORIGIN
from auctionctl.cli.settings.contexts import CONTEXT_VARIABLE, find_context
from auctionctl.cli.settings.person_file import PERSON_SETTINGS, config_file, find_setting
from auctionctl.client.files import is_there
from auctionctl.client.paths import Paths, find_paths

app = typer.Typer(rich_markup_mode=None)
config_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="See what is set, and by whom.")
app.add_typer(config_app, name="config", epilog="Example: auctionctl config show --origin")

PERSON: Final = "person"
HOUSE: Final = "house"
DEFAULTS: Final = "defaults"


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting: whose it is, its value (None: nobody says one, and ``otherwise`` says what holds), its origin."""

    scope: str
    name: str
    value: object
    otherwise: str
    origin: str


@config_app.command("path", epilog="Example: auctionctl config path")
@with_form_despite_files
def path(form: Form) -> int:
    """Write where config.toml is, or would be, to stdout."""
    found = config_file(find_paths())
    if form.is_json:
        write_document("auctionctl.config-path/1", {"path": str(found), "exists": is_there(found)})
    else:
        write_line(str(found))
    return ExitStatus.OK


@config_app.command("show", epilog="Example: auctionctl config show --origin")
def show(
    *,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
    house: HouseOption = None,
    key: KeyOption = None,
    context: ContextOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show every setting of yours, and of a house on this machine, as it holds for this command line."""
    paths = find_paths()
    form = form_of({"output": output, "as_json": as_json})
    given = {"house": house, "key": key, "output": Form.JSON.value if as_json else output}
    shown = [*_person(paths, given, context, as_json), *_house(paths)]
    columns = ("of", "setting", "value", *(("origin",) if origin else ()))
    rows = [
        (
            each.scope,
            each.name,
            f"({each.otherwise})" if each.value is None else str(each.value),
            *((each.origin,) if origin else ()),
        )
        for each in shown
    ]
    records = [
        {"of": each.scope, "setting": each.name, "value": each.value, "origin": each.origin, "default": each.otherwise}
        for each in shown
    ]
    write_list(form, "auctionctl.config-show/1", "settings", records, columns=columns, rows=rows)
    return ExitStatus.OK


def _person(paths: Paths, given: dict[str, str | None], context: str | None, as_json: bool) -> Iterator[Shown]:
    import os  # noqa: PLC0415

    known = find_context(paths, context)
    chosen_by = "contexts.toml"
    if context:
        chosen_by = "--context"
    elif os.environ.get(CONTEXT_VARIABLE):
        chosen_by = CONTEXT_VARIABLE
    name = None if known is None else known.name
    yield Shown(PERSON, "context", name, "none", DEFAULT_ORIGIN if known is None else chosen_by)
    for setting in PERSON_SETTINGS:
        said = find_setting(paths, setting.name, given[setting.name], context)
        if said is None:
            yield Shown(PERSON, setting.name, None, setting.default_words, DEFAULT_ORIGIN)
        else:
            said_by = "--json" if as_json and setting.name == "output" else said.origin
            yield Shown(PERSON, setting.name, said.value, setting.default_words, said_by)


def _house(paths: Paths) -> Iterator[Shown]:
    from auctionctl.cli.settings.house_file import DEFAULT_SETTINGS, HOUSE_SETTINGS, find_house_layers  # noqa: PLC0415
    from auctionctl.cli.settings.setting import Kind  # noqa: PLC0415
    from auctionctl.store.cluster_address import without_login  # noqa: PLC0415

    layers = find_house_layers(paths.config, None)
    for setting in HOUSE_SETTINGS:
        value: object = setting.default
        origin = DEFAULT_ORIGIN
        for layer in layers:
            if setting.name in layer.house:
                value, origin = layer.house.written(setting.name), layer.origin
                if setting.kind is Kind.STORE:
                    value = without_login(str(value))
        yield Shown(HOUSE, setting.name, value, setting.default_words or str(setting.default), origin)
    for setting in DEFAULT_SETTINGS:
        value, origin = setting.default, DEFAULT_ORIGIN
        for layer in layers:
            if setting.name in layer.defaults:
                value, origin = layer.defaults[setting.name], layer.origin
        yield Shown(DEFAULTS, setting.name, value, setting.default_words or str(setting.default), origin)


@config_app.command("check", epilog="Example: auctionctl config check")
@with_form_despite_files
def check(form: Form) -> int:
    """Check every file of settings, the allow list and the keys; says all that is wrong, and changes nothing."""
    from auctionctl.cli.checks.file_checks import check_files  # noqa: PLC0415
    from auctionctl.cli.checks.findings import summary, write_findings  # noqa: PLC0415

    paths = find_paths()
    findings = check_files(paths)
    if not findings and not form.is_json:
        write_note(f"there is nothing to check in {paths.config}; begin with: auctionctl init")
        return ExitStatus.OK
    status = write_findings(form, "auctionctl.config-check/1", findings)
    if not form.is_json:
        write_note(summary(findings))
    return status
