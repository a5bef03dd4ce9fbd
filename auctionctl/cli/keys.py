"""``keygen`` and ``key``: making keys, and showing what of them may be shown."""

from __future__ import annotations

from typing import Annotated

import typer

from auctionctl.cli.arguments import argument
from auctionctl.cli.choices import DEFAULT_KEY, choose_key
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document, write_line, write_note
from auctionctl.cli.paths import find_paths

app = typer.Typer(rich_markup_mode=None)
key_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Look at keys.")
app.add_typer(key_app, name="key", epilog="Example: auctionctl key show alice")


@app.command(epilog="Example: auctionctl keygen alice")
@with_form
def keygen(
    form: Form,
    name: Annotated[str, typer.Argument(help="What the key is called on this machine.")] = DEFAULT_KEY,
    force: Annotated[bool, typer.Option("--force", help="Replace a key of that name.")] = False,
) -> int:
    """Make a new key; its public half is written to stdout, for the house's allow list."""
    import datetime  # noqa: PLC0415

    from auctionctl.keys.keyfile import generate, key_path, write_key  # noqa: PLC0415

    keys = find_paths().keys
    with argument("NAME"):
        path = key_path(keys, name)
    key = generate()
    created = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    write_key(path, key, created=created, replace=force)
    if form.is_json:
        write_document("auctionctl.keygen/1", {"name": name, "path": str(path), "public_key": key.identity.text})
        return ExitStatus.OK
    write_note(f"wrote {path}")
    write_line(key.identity.text)
    return ExitStatus.OK


@key_app.command("show", epilog='Example: auctionctl allow add "$(auctionctl key show alice)" alice')
@with_form
def show(
    form: Form,
    name: Annotated[str | None, typer.Argument(help="Which key; may be left out if there is only one.")] = None,
) -> int:
    """Write the public half of a key to stdout."""
    key = choose_key(find_paths(), name)
    if form.is_json:
        write_document("auctionctl.key-show/1", {"public_key": key.identity.text, "short": key.identity.short})
    else:
        write_line(key.identity.text)
    return ExitStatus.OK
