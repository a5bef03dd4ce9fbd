"""``init``: the directories, files and keys that a person or a house begins with.

Rule: what is there is never touched; run again, it makes what is missing, or nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import with_form_despite_files
from auctionctl.cli.output import Form, write_document, write_note, write_table
from auctionctl.cli.settings.choices import DEFAULT_KEY
from auctionctl.cli.settings.person_file import config_file
from auctionctl.client.files import PRIVATE_MODE, Existing, held_alone, is_there, make_private_directories, write_whole
from auctionctl.client.paths import Paths, find_paths

app = typer.Typer(rich_markup_mode=None)

HOUSE_KEY: Final = "house"


@app.command(epilog="Example: auctionctl init --house")
@with_form_despite_files
def init(
    form: Form,
    house: Annotated[bool, typer.Option("--house", help="Also make the key of a house on this machine.")] = False,
) -> int:
    """Make directories, commented files of settings and a key, where they are missing; nothing is overwritten."""
    from auctionctl.cli.settings.house_file import HOUSE_FILE  # noqa: PLC0415
    from auctionctl.cli.settings.templates import house_template, person_template  # noqa: PLC0415

    paths = find_paths()
    made: list[Path] = []
    kept: list[Path] = []
    for directory in (paths.config, paths.keys, paths.state):
        (kept if is_there(directory) else made).append(directory)
        make_private_directories(directory)
    with held_alone(paths.config):
        files = ((config_file(paths), person_template()), (paths.config / HOUSE_FILE, house_template()))
        for path, text in files:
            found = is_there(path) or os.path.islink(path)
            (kept if found else made).append(path)
            if not found:
                write_whole(path, text.encode(), PRIVATE_MODE, Existing.REFUSE)
        for name in _wanted_keys(paths, house):
            made.append(_make_key(paths, name))
    public_keys = _public_keys(paths)
    next_steps = _next_steps(paths, house, public_keys)
    if form.is_json:
        document = {"made": list(map(str, made)), "kept": list(map(str, kept)), "keys": public_keys}
        write_document("auctionctl.init/1", document | {"next": next_steps})
        return ExitStatus.OK
    rows = [*(("made", str(path)) for path in made), *(("there already", str(path)) for path in kept)]
    write_table(form, ("what", "where"), rows)
    if not made:
        write_note("everything was there already: nothing was changed")
    for step in next_steps:
        write_note(f"next: {step}")
    return ExitStatus.OK


def _wanted_keys(paths: Paths, house: bool) -> list[str]:
    """The keys that are missing: a person's if there is none but a house's, and a house's if it is asked for."""
    from auctionctl.keys.keyfile import list_keys  # noqa: PLC0415

    names = list_keys(paths.keys)
    wanted = [] if [name for name in names if name != HOUSE_KEY] else [DEFAULT_KEY]
    return [*wanted, HOUSE_KEY] if house and HOUSE_KEY not in names else wanted


def _make_key(paths: Paths, name: str) -> Path:
    from auctionctl.cli.keys import time_of_creation  # noqa: PLC0415
    from auctionctl.keys.keyfile import generate, key_path, write_key  # noqa: PLC0415

    path = key_path(paths.keys, name)
    write_key(path, generate(), created=time_of_creation())
    return path


def _public_keys(paths: Paths) -> dict[str, str]:
    """Name → public key, as the files say it, of the keys that this command makes."""
    from auctionctl.keys.keyfile import key_path, read_key_comments  # noqa: PLC0415

    found = {name: read_key_comments(key_path(paths.keys, name)).public for name in (DEFAULT_KEY, HOUSE_KEY)}
    return {name: public for name, public in found.items() if public}


def _next_steps(paths: Paths, house: bool, public_keys: dict[str, str]) -> list[str]:
    if house:
        return [
            f"look through {paths.config / 'house.toml'}",
            "let bidders in: auctionctl allow add KEY NAME",
            "open the house: auctionctl serve AUCTIONS.toml",
        ]
    public = public_keys.get(DEFAULT_KEY)
    give = f"give your public key to whoever runs the house: {public}" if public else "see your keys: auctionctl key ls"
    return [give, "save the house under a name: auctionctl context add NAME ADDR --use", "look in: auctionctl ls"]
