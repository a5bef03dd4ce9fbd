"""``allow``: whom a house on this machine lets in (DESIGN.md section 5). A running house takes changes on by itself."""

from __future__ import annotations

import difflib
import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document, write_list, write_note
from auctionctl.client.files import (
    PRIVATE_MODE,
    Existing,
    held_alone,
    make_private_directories,
    read_bounded,
    write_whole,
)
from auctionctl.client.paths import find_paths
from auctionctl.errors import AllowListError, ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from auctionctl.keys.allowlist import AllowList, Entry

app = typer.Typer(rich_markup_mode=None)
allow_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Say whom the house lets in.")
app.add_typer(allow_app, name="allow", epilog="Example: auctionctl allow ls")


NO_LIMITS: Final = "none"


class Change(enum.Enum):
    """What a command did to the list."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


def read_allow_list(path: Path) -> tuple[str, AllowList]:
    """Text and content of the allow list at ``path``; both empty if there is none.

    Raises AllowListError, naming the line, for a list that cannot be used, and ConfigurationError for a file that
    cannot be read.
    """
    from auctionctl.keys.allowlist import MAX_TEXT_BYTES, AllowList, parse  # noqa: PLC0415

    try:
        data = read_bounded(path, MAX_TEXT_BYTES)
    except NotFoundError:
        return "", AllowList()
    try:
        # One character a byte: what is not ASCII is found, and named by its line, where the list is parsed.
        text = data.decode("latin-1")
        return text, parse(text)
    except AllowListError as error:
        hint = f"{error.hint}; the file is {path}" if error.hint else f"the file is {path}"
        raise AllowListError(str(error).partition(": ")[2], line=error.line, hint=hint) from None


@allow_app.command("add", epilog="Example: auctionctl allow add auc1… alice --role bidder")
@with_form
def add(
    form: Form,
    key: Annotated[str, typer.Argument(help="The public key, auc1….")],
    name: Annotated[str, typer.Argument(help="What the house calls its holder.")],
    *,
    role: Annotated[
        str, typer.Option(help="bidder, seller, operator or observer; several are joined by '+'.")
    ] = "bidder",
    replace: Annotated[
        bool, typer.Option("--replace", help="Change the line of a key that is there already and says something else.")
    ] = False,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBER",
            help="A limit of the house that is another one for this identity, such as bids_per_s=100; as often as"
            " needed, or `none`. Without it, a line that is there keeps its own.",
        ),
    ] = None,
) -> int:
    """Let somebody in."""
    from auctionctl.keys.allowlist import Entry, add_line, replace_line  # noqa: PLC0415

    entry = _checked(key, name, role, limit or [])
    path = find_paths().allow_list
    make_private_directories(path.parent)
    with held_alone(path.parent):
        text, known = read_allow_list(path)
        old = known.by_signing(entry.identity.signing)
        if old is not None and not limit:
            entry = Entry(entry.identity, name, role, old.options)
        if old is None:
            change = Change.ADDED
        elif (old.name, old.roles, old.limits) == (name, entry.roles, entry.limits):
            change = Change.UNCHANGED
        elif replace and old.identity == entry.identity:
            change = Change.REPLACED
        else:
            raise ConfigurationError(
                f"this key is on the list {path} already, as {old.name} with the role {old.role}{_with(old)}",
                hint="change that line with --replace",
            )
        try:
            if change is Change.ADDED:
                write_whole(path, add_line(text, entry).encode(), PRIVATE_MODE, Existing.REPLACE)
            elif old is not None and change is Change.REPLACED:
                write_whole(path, replace_line(text, old, entry).encode(), PRIVATE_MODE, Existing.REPLACE)
        except AllowListError as error:
            raise ConfigurationError(
                f"{str(error).partition(': ')[2]}, on the list {path}",
                hint=f"choose another name, or remove that line: auctionctl allow rm {name}",
            ) from error
    size = len(known) + (change is Change.ADDED)
    _report(
        form,
        "auctionctl.allow-add/1",
        entry,
        change,
        f"{name} may come in as {role}{_with(entry)}: {size} on the list {path}",
    )
    return ExitStatus.OK


@allow_app.command("rm", epilog="Example: auctionctl allow rm alice")
@with_form
def rm(
    form: Form, name: Annotated[str, typer.Argument(metavar="NAME|KEY", help="Who: by name, or by public key.")]
) -> int:
    """Let somebody in no longer: a running house ends their sessions; the bids that they have made stand."""
    from auctionctl.keys.allowlist import remove_line  # noqa: PLC0415

    path = find_paths().allow_list
    if not path.parent.is_dir():
        raise _nobody(name, path, [])
    with held_alone(path.parent):
        text, known = read_allow_list(path)
        found = next((entry for entry in known if name in (entry.name, entry.identity.text)), None)
        if found is None:
            raise _nobody(name, path, [entry.name for entry in known])
        write_whole(path, remove_line(text, found).encode(), PRIVATE_MODE, Existing.REPLACE)
    news = f"{found.name} may no longer come in: {len(known) - 1} on the list {path}"
    _report(form, "auctionctl.allow-rm/1", found, Change.REMOVED, news)
    return ExitStatus.OK


def _nobody(name: str, path: Path, names: list[str]) -> NotFoundError:
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else "see who is there: auctionctl allow ls"
    return NotFoundError(f"nobody called {name[:120]!a} is on the list {path}", hint=hint)


def _report(form: Form, schema: str, entry: Entry, change: Change, news: str) -> None:
    if form.is_json:
        write_document(schema, _record(entry) | {"change": change.value})
    else:
        write_note(f"nothing to change: {news}" if change is Change.UNCHANGED else news)


def _record(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "role": entry.role,
        "public_key": entry.identity.text,
        "limits": dict(entry.limits),
    }


def _checked(key: str, name: str, role: str, limits: list[str]) -> Entry:
    """The entry that arguments speak of; ArgumentError. What is wrong with it has nothing to do with any file."""
    from auctionctl.keys.allowlist import Entry, Role, add_line  # noqa: PLC0415
    from auctionctl.keys.encoding import NAME_HINT, is_name  # noqa: PLC0415
    from auctionctl.keys.signing import Identity  # noqa: PLC0415

    with argument("KEY"):
        identity = Identity.from_text(key)
    if not is_name(name):
        raise ArgumentError(f"NAME: {name[:40]!a} is no name", hint=NAME_HINT)
    unknown = next((word for word in role.split("+") if word not in set(Role)), None)
    if unknown is not None:
        roles = ", ".join(Role)
        raise ArgumentError(
            f"--role: {unknown[:40]!a} is no role", hint=f"known are: {roles}; several are joined by '+'"
        )
    entry = Entry(identity, name, role, _limits(limits))
    try:
        add_line("", entry)
    except AllowListError as error:
        raise ArgumentError(str(error).partition(": ")[2], hint=error.hint) from error
    return entry


def _limits(texts: list[str]) -> tuple[tuple[str, str], ...]:
    """What ``--limit`` says, as options of a line; the list itself judges them."""
    pairs = [text.partition("=")[::2] for text in texts if text != NO_LIMITS]
    return tuple((name[:40], value[:40]) for name, value in pairs)


def _words(entry: Entry) -> str:
    return " ".join(f"{name}={value}" for name, value in entry.limits.items())


def _with(entry: Entry) -> str:
    return f" with {words}" if (words := _words(entry)) else ""


@allow_app.command("ls", epilog="Example: auctionctl allow ls --json")
@with_form
def ls(form: Form) -> int:
    """Show who may come in."""
    path = find_paths().allow_list
    _, known = read_allow_list(path)
    if not known and not form.is_json:
        write_note(f"nobody is on the list {path}; let somebody in: auctionctl allow add KEY NAME")
    columns = ("name", "role", "limits", "public key")
    rows = [(entry.name, entry.role, _words(entry), entry.identity.text) for entry in known]
    records = [_record(entry) for entry in known]
    write_list(form, "auctionctl.allow-ls/1", "entries", records, columns=columns, rows=rows)
    return ExitStatus.OK


@allow_app.command("roles", epilog="Example: auctionctl allow roles --json")
@with_form
def roles(form: Form) -> int:
    """Show which role may do what at a house."""
    from auctionctl.cli.roles import rows  # noqa: PLC0415 - imports libsodium

    table = rows()
    records = [{"message": name, "roles": list(may), "commands": list(commands)} for name, may, commands in table]
    cells = [(name, "+".join(may), ", ".join(commands)) for name, may, commands in table]
    columns = ("message", "roles", "commands")
    write_list(form, "auctionctl.allow-roles/1", "messages", records, columns=columns, rows=cells)
    return ExitStatus.OK
