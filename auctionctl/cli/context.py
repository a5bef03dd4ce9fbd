"""``context``: houses by name, and which of them holds where none is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import KeyOption, with_form
from auctionctl.cli.output import Form, write_document, write_list, write_note
from auctionctl.cli.settings.contexts import (
    Context,
    Contexts,
    contexts_file,
    named_context,
    read_contexts,
    write_contexts,
)
from auctionctl.client.files import held_alone, make_private_directories
from auctionctl.client.paths import Paths, find_paths
from auctionctl.errors import ConfigurationError

app = typer.Typer(rich_markup_mode=None)
context_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Name houses, and choose one of them.")
app.add_typer(context_app, name="context", epilog="Example: auctionctl context ls")

NameArgument = Annotated[str, typer.Argument(help="The name of the context.")]
SHORT_ADDRESS_CHARACTERS: Final = 16


@contextmanager
def _alone() -> Iterator[Paths]:
    paths = find_paths()
    make_private_directories(paths.config)
    with held_alone(paths.config):
        yield paths


@context_app.command("add", epilog="Example: auctionctl context add fair auction://auc1…@fair.example:8888 --use")
@with_form
def add(
    form: Form,
    name: NameArgument,
    address: Annotated[str, typer.Argument(metavar="ADDR", help="The house: auction://auc1…@host:port[,host:port…].")],
    *,
    key: KeyOption = None,
    use: Annotated[bool, typer.Option("--use", help="Make it the current context.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a context of that name.")] = False,
) -> int:
    """Save a house under a name, with the key to use there."""
    from auctionctl.keys.encoding import NAME_HINT, is_name  # noqa: PLC0415
    from auctionctl.keys.keyfile import key_path, list_keys  # noqa: PLC0415
    from auctionctl.wire.address import parse_address  # noqa: PLC0415

    if not is_name(name):
        raise ArgumentError(f"NAME: {name[:40]!a} is no name", hint=NAME_HINT)
    with argument("ADDR"):
        house = parse_address(address).text
    if key:
        with argument("--key"):
            key_path(find_paths().keys, key)
    with _alone() as paths:
        before = read_contexts(paths)
        if name in before.by_name and not force:
            raise ConfigurationError(
                f"there is a context {name} already, in {contexts_file(paths)}",
                hint="choose another name, or replace it with --force",
            )
        context = Context(name, house, key or "")
        after = Contexts(name if use else before.current, {**before.by_name, name: context})
        write_contexts(paths, after)
        if key and key not in list_keys(paths.keys):
            write_note(f"there is no key {key} yet; make it: auctionctl keygen {key}")
    if form.is_json:
        write_document("auctionctl.context-add/1", _record(context, after))
    elif after.current == name:
        write_note(f"{name} is the current context")
    else:
        write_note(f"saved {name}; make it the current one with: auctionctl context use {name}")
    return ExitStatus.OK


@context_app.command("use", epilog="Example: auctionctl context use fair")
@with_form
def use(form: Form, name: NameArgument) -> int:
    """Make a context the current one: its house and key hold where no other is named."""
    with _alone() as paths:
        before = read_contexts(paths)
        found = named_context(before, name)
        after = replace(before, current=name)
        write_contexts(paths, after)
    if form.is_json:
        write_document("auctionctl.context-use/1", _record(found, after))
    else:
        write_note(f"{name} is the current context")
    return ExitStatus.OK


@context_app.command("ls", epilog="Example: auctionctl context ls --json")
@with_form
def ls(form: Form) -> int:
    """Show all contexts; the current one has a star."""
    contexts = read_contexts(find_paths())
    if not contexts.by_name and not form.is_json:
        write_note("there is no context yet; save one: auctionctl context add NAME ADDR")
    known = sorted(contexts.by_name.values(), key=lambda context: context.name)
    rows = [
        (
            "*" if context.name == contexts.current else "",
            context.name,
            _short(context.house) if form is Form.TABLE else context.house,
            context.key,
        )
        for context in known
    ]
    records = [_record(context, contexts) for context in known]
    columns = ("current", "name", "house", "key")
    write_list(form, "auctionctl.context-ls/1", "contexts", records, columns=columns, rows=rows)
    return ExitStatus.OK


@context_app.command("rm", epilog="Example: auctionctl context rm fair")
@with_form
def rm(form: Form, name: NameArgument) -> int:
    """Forget a context; neither the house nor the key is touched."""
    with _alone() as paths:
        before = read_contexts(paths)
        found = named_context(before, name)
        rest = {known: context for known, context in before.by_name.items() if known != name}
        was_current = before.current == name
        write_contexts(paths, Contexts("" if was_current else before.current, rest))
    if form.is_json:
        write_document("auctionctl.context-rm/1", _record(found, before))
    else:
        write_note(f"forgot {name}" + ("; no context is current now" if was_current else ""))
    return ExitStatus.OK


def _record(context: Context, contexts: Contexts) -> dict[str, object]:
    is_current = context.name == contexts.current
    return {"name": context.name, "house": context.house, "key": context.key or None, "is_current": is_current}


def _short(address: str) -> str:
    """An address for people's eyes: the identity's first characters and the place."""
    identity, separator, place = address.partition("@")
    shown = identity.removeprefix("auction://")[:SHORT_ADDRESS_CHARACTERS]
    return f"{shown}…@{place}" if separator else address
