"""``keygen`` and ``key``: making keys, carrying them from one machine to another, and showing what may be shown.

Rule: a secret is read from a file or from stdin, never from the command line, where every process could see it; it is
written to a new private file or to a pipe, and never to a terminal.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.key_revoke import revoke
from auctionctl.cli.key_rotate import rotate
from auctionctl.cli.options import with_form
from auctionctl.cli.output import Form, write_document, write_line, write_list, write_note
from auctionctl.cli.passphrases import OwnPassphraseFile, new_passphrase, open_key
from auctionctl.cli.settings.choices import DEFAULT_KEY, choose_key_path
from auctionctl.client.files import PRIVATE_MODE, PUBLIC_MODE, Existing, is_there, write_whole
from auctionctl.client.paths import find_paths
from auctionctl.errors import ConfigurationError, KeyFileError, NotFoundError

if TYPE_CHECKING:
    from auctionctl.keys.keyfile import StoredKey
    from auctionctl.keys.locked_key import LockedKey

app = typer.Typer(rich_markup_mode=None)
key_app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Look at keys, carry them, remove them.")
app.add_typer(key_app, name="key", epilog="Example: auctionctl key show alice")

STDIN: Final = "-"
T = TypeVar("T", "StoredKey", "LockedKey", "StoredKey | LockedKey")


@app.command(epilog="Example: auctionctl keygen alice")
@with_form
def keygen(
    form: Form,
    name: Annotated[str, typer.Argument(help="What the key is called on this machine.")] = DEFAULT_KEY,
    force: Annotated[bool, typer.Option("--force", help="Replace a key of that name.")] = False,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Put the key under a passphrase, which is asked for.")
    ] = False,
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", metavar="FILE", readable=False, help="Put it under the passphrase in FILE."),
    ] = None,
) -> int:
    """Make a new key; its public half is written to stdout, for the house's allow list."""
    from auctionctl.keys.core_dumps import forbid_dumps  # noqa: PLC0415
    from auctionctl.keys.keyfile import StoredKey as Stored  # noqa: PLC0415
    from auctionctl.keys.keyfile import generate, key_path, lock, write_key_file  # noqa: PLC0415

    with argument("NAME"):
        path = key_path(find_paths().keys, name)
    if is_there(path) and not force:  # before anybody is asked for a passphrase
        raise KeyFileError(f"{path} exists already", hint="choose another name, or replace it with --force")
    forbid_dumps()
    key = generate()
    stored = Stored(key, time_of_creation())
    is_locked = passphrase or passphrase_file is not None
    content = lock(stored, new_passphrase(passphrase_file, os.environ)) if is_locked else stored
    write_key_file(path, content, replace=force)
    if form.is_json:
        write_document("auctionctl.keygen/1", {"name": name, "path": str(path), "public_key": key.identity.text})
        return ExitStatus.OK
    write_note(f"wrote {path}")
    write_line(key.identity.text)
    return ExitStatus.OK


def time_of_creation() -> str:
    """Now, as a key file has it."""
    import datetime  # noqa: PLC0415

    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@key_app.command("show", epilog='Example: auctionctl allow add "$(auctionctl key show alice)" alice')
@with_form
def show(
    form: Form,
    name: Annotated[str | None, typer.Argument(help="Which key; may be left out if there is only one.")] = None,
) -> int:
    """Write the public half of a key to stdout."""
    from auctionctl.keys.keyfile import read_key_file  # noqa: PLC0415 - imports libsodium
    from auctionctl.keys.signing import Identity  # noqa: PLC0415

    public = public_half(read_key_file(choose_key_path(find_paths(), name)))
    if form.is_json:
        identity = Identity.from_text(public)
        shown = {"public_key": public, "short": identity.short, "signing_key": identity.signing.hex()}
        write_document("auctionctl.key-show/1", shown)
    else:
        write_line(public)
    return ExitStatus.OK


def public_half(content: StoredKey | LockedKey) -> str:
    """Of one under a passphrase, as the file says it: it is not asked for to tell what everybody may know."""
    from auctionctl.keys.locked_key import LockedKey as Locked  # noqa: PLC0415 - imports libsodium

    return content.public if isinstance(content, Locked) else content.key.identity.text


@key_app.command("ls", epilog="Example: auctionctl key ls --json")
@with_form
def ls(form: Form) -> int:
    """Show the keys of this machine; what is wrong with one is said beside it."""
    from auctionctl.cli.succession_files import waiting_names  # noqa: PLC0415
    from auctionctl.keys.keyfile import key_path, list_keys, read_key_comments, read_key_file  # noqa: PLC0415
    from auctionctl.keys.locked_key import LockedKey as Locked  # noqa: PLC0415
    from auctionctl.keys.signing import Identity  # noqa: PLC0415

    directory = find_paths().keys
    records, rows = [], []
    waiting = waiting_names(directory)
    for name in list_keys(directory):
        path, problem, remedy = key_path(directory, name), "", ""
        said = read_key_comments(path)
        public, created = said.public, said.created
        is_locked = None
        try:
            content = read_key_file(path)
            public, is_locked = public_half(content), isinstance(content, Locked)
        except (KeyFileError, NotFoundError) as error:
            problem, remedy = str(error), error.hint
        if name in waiting and not problem:
            problem, remedy = "a new key waits to take its place", f"go on with: auctionctl key rotate {name}"
        short = Identity.from_text(public).short if public else ""
        lock = {None: "", True: "passphrase", False: "none"}[is_locked]
        rows.append((name, short, created, lock, f"{problem}; {remedy}" if remedy else problem))
        record = {"name": name, "public_key": public or None, "short": short or None, "created": created or None}
        record |= {"path": str(path), "problem": problem or None, "hint": remedy or None}
        records.append({**record, "has_passphrase": is_locked})
    if not rows and not form.is_json:
        write_note(f"there is no key in {directory}; make one: auctionctl keygen")
    columns = ("name", "key", "created", "lock", "problem")
    write_list(form, "auctionctl.key-ls/1", "keys", records, columns=columns, rows=rows)
    return ExitStatus.OK


@key_app.command("export", epilog="Example: auctionctl key export alice --secret -o alice.backup")
@with_form
def export(
    form: Form,
    name: Annotated[str, typer.Argument(help="Which key.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A new file to write; else stdout.")
    ] = None,
    secret: Annotated[
        bool, typer.Option("--secret", help="The secret itself: whoever has it can bid in your name.")
    ] = False,
) -> int:
    """Write a key to a file or to stdout: its public half, or with --secret all of it (a passphrase stays on it)."""
    from auctionctl.keys.keyfile import key_path, read_key_file  # noqa: PLC0415

    with argument("NAME"):
        path = key_path(find_paths().keys, name)
    if secret and output is None and sys.stdout.isatty():
        raise ArgumentError(
            "a secret is not shown on a terminal", hint="write it to a file with -o FILE, or into a pipe"
        )
    if secret and output is None and form.is_json:
        raise ArgumentError("a secret is written as a key file, not as JSON", hint="leave --json away, or give -o FILE")
    content = read_key_file(path)
    public = public_half(content)
    text = _whole_text(content) if secret else f"{public}\n"
    if output is None:
        if form.is_json:
            write_document("auctionctl.key-export/1", {"name": name, "public_key": public, "file": None})
        else:
            sys.stdout.write(text)
            sys.stdout.flush()
        return ExitStatus.OK
    if is_there(output):
        raise ConfigurationError(f"{output} exists already", hint="choose another name: no file is written over")
    write_whole(output, text.encode(), PRIVATE_MODE if secret else PUBLIC_MODE, Existing.REFUSE)
    if form.is_json:
        write_document("auctionctl.key-export/1", {"name": name, "public_key": public, "file": str(output)})
    else:
        write_note(f"wrote {'the secret of ' if secret else ''}{name} to {output}")
    return ExitStatus.OK


def _whole_text(content: StoredKey | LockedKey) -> str:
    from auctionctl.keys.keyfile import StoredKey as Stored  # noqa: PLC0415
    from auctionctl.keys.keyfile import key_text  # noqa: PLC0415
    from auctionctl.keys.locked_key import LockedKey as Locked  # noqa: PLC0415

    if isinstance(content, Locked):
        return content.text
    return key_text(Stored(content.key, content.created or time_of_creation()))


@key_app.command("import", epilog="Example: auctionctl key import alice.backup alice")
@with_form
def import_key(
    form: Form,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A key file, or - for stdin: never the secret.")],
    name: Annotated[
        str | None, typer.Argument(help="What to call it; else the name of a FILE that ends in .key, or 'default'.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a key of that name.")] = False,
) -> int:
    """Take a key over from a key file, or from its secret on stdin; it keeps its time of creation and passphrase."""
    from auctionctl.keys.encoding import SECRET_PREFIX, is_name  # noqa: PLC0415
    from auctionctl.keys.keyfile import SUFFIX, key_path, read_key_file, write_key_file  # noqa: PLC0415

    if file.upper().startswith(SECRET_PREFIX):
        # Not repeated: it would stand in a log as well.
        raise ArgumentError(
            "a secret does not belong on the command line, where others can see it",
            hint="make a new key, or give this one on stdin: auctionctl key import - NAME",
        )
    if name is None:
        stem = Path(file).name.removesuffix(SUFFIX)
        name = stem if file.endswith(SUFFIX) and is_name(stem) else DEFAULT_KEY
    with argument("NAME"):
        path = key_path(find_paths().keys, name)
    content = _with_creation(_read_stdin() if file == STDIN else read_key_file(Path(file)))
    write_key_file(path, content, replace=force)
    public = public_half(content)
    if form.is_json:
        document = {"name": name, "path": str(path), "public_key": public}
        write_document("auctionctl.key-import/1", document)
        return ExitStatus.OK
    write_note(f"wrote {path}" + ("" if file == STDIN else f"; {file} is still there: remove it once it is not needed"))
    write_line(public)
    return ExitStatus.OK


def _with_creation(content: T) -> T:
    return content if content.created else dataclasses.replace(content, created=time_of_creation())


def _read_stdin() -> StoredKey | LockedKey:
    from auctionctl.keys.keyfile import MAX_FILE_BYTES, parse_key_file  # noqa: PLC0415

    if sys.stdin.isatty():
        import getpass  # noqa: PLC0415

        data = getpass.getpass("secret key, which is not shown: ", sys.stderr).strip().encode()
    else:
        data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    if not data.strip():
        raise ConfigurationError("there is no key on stdin", hint="auctionctl key import - NAME <FILE")
    return parse_key_file("stdin", data)


@key_app.command("passwd", epilog="Example: auctionctl key passwd alice")
@with_form
def passwd(
    form: Form,
    name: Annotated[str, typer.Argument(help="Which key.")],
    *,
    passphrase_file: OwnPassphraseFile = None,
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", readable=False, help="The new passphrase; else it is asked for."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Leave the key without a passphrase.")] = False,
) -> int:
    """Put a key under a passphrase, change its passphrase, or remove it; the key stays the same."""
    from auctionctl.keys.keyfile import key_path, lock, write_key_file  # noqa: PLC0415

    if remove and new_passphrase_file is not None:
        raise ArgumentError("--remove and --new-passphrase-file ask for two things", hint="give one of the two")
    with argument("NAME"):
        path = key_path(find_paths().keys, name)
    stored = _with_creation(open_key(path, passphrase_file))
    # Without the environment: it names the passphrase that the key has now.
    content = stored if remove else lock(stored, new_passphrase(new_passphrase_file, {}))
    write_key_file(path, content, replace=True)
    if form.is_json:
        document = {"name": name, "path": str(path), "public_key": stored.key.identity.text}
        write_document("auctionctl.key-passwd/1", document | {"has_passphrase": not remove})
    else:
        write_note(f"{name} is without a passphrase now" if remove else f"{name} is under the new passphrase now")
    return ExitStatus.OK


@key_app.command("rm", epilog="Example: auctionctl key rm alice --yes")
@with_form
def rm(
    form: Form,
    name: Annotated[str, typer.Argument(help="Which key.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Remove a key for ever: without a copy, nobody can act in its name any more."""
    from auctionctl.cli.key_use import check_unused  # noqa: PLC0415
    from auctionctl.keys.keyfile import key_path, read_key_comments, remove_key  # noqa: PLC0415

    paths = find_paths()
    with argument("NAME"):
        path = key_path(paths.keys, name)
    if not is_there(path) and not os.path.islink(path):
        raise NotFoundError(f"there is no key file {path}", hint="see which there are: auctionctl key ls")
    public = _public_text(path) or read_key_comments(path).public
    check_unused(paths, name, public)
    if not yes:
        _ask(name, path)
    remove_key(path)
    if form.is_json:
        write_document("auctionctl.key-rm/1", {"name": name, "path": str(path), "public_key": public or None})
    else:
        write_note(f"removed {path}")
    return ExitStatus.OK


def _public_text(path: Path) -> str:
    from auctionctl.keys.keyfile import read_key_file  # noqa: PLC0415

    try:
        return public_half(read_key_file(path))
    except KeyFileError:
        # A damaged key is removed as well.
        return ""


def _ask(name: str, path: Path) -> None:
    copy = f"auctionctl key export {name} --secret -o FILE"
    if not sys.stdin.isatty():
        raise ArgumentError(
            f"nobody can be asked whether to remove {shlex.quote(str(path))}",
            hint=f"give --yes to remove it for ever; a copy is made with: {copy}",
        )
    sys.stderr.write(f"remove the key {name} for ever? A copy is made with: {copy}\ntype its name to remove it: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != name:
        raise ArgumentError("nothing was removed: that is not its name", hint=f"type {name}, or give --yes")


key_app.command("revoke", epilog="Example: auctionctl key revoke alice --house fair")(revoke)
key_app.command("rotate", epilog="Example: auctionctl key rotate alice --house fair")(rotate)
