"""The pages of the program and of every command and subcommand, drawn from the program itself.

Rule: nothing about a command is said here that could be asked of it. What its JSON holds stands in
:mod:`auctionctl.cli.manual.json_fields`, or in the command's own module as ``JSON_SCHEMA``, a table schema → field →
meaning; the page of a command that writes JSON and says nothing of it says so. New commands need no change here.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from auctionctl.cli.exit_status import MEANINGS
from auctionctl.cli.manual.json_fields import FIELDS
from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph, Part, Table
from auctionctl.cli.manual.surroundings import ALL, FILES, VARIABLES, File, Variable
from auctionctl.cli.options import GLOBALS

if TYPE_CHECKING:
    from typer.core import TyperCommand

    Command = TyperCommand | TyperGroup
    Param = TyperArgument | TyperOption

PROGRAM: Final = "auctionctl"
HELP: Final = ("`-h`, `--help`", "Show the command's help and exit.")
NOT_DESCRIBED: Final = "The fields of what it writes are not described yet."

MORE: Final = {
    "init": ("auctionctl-house(5)",),
    "serve": ("auctionctl-house(5)", "auctionctl-cluster(7)"),
    "doctor": ("auctionctl-cluster(7)",),
    **dict.fromkeys(("simulate", "replay"), ("auctionctl-market(5)",)),
}
"""First word of a command → pages that belong to it besides those of its group."""

Schema = Mapping[str, Mapping[str, str]]
"""Name of a schema → field → meaning, in the marks of roff."""

_EXAMPLE: Final = re.compile(r"\AExamples?:\s*")
_ENCLOSED: Final = re.compile(r"\A\[([^\[\]]*)\]\Z")
_METAVARS: Final = {"int": "N", "integer": "N", "integer range": "N", "int range": "N", "path": "FILE"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A command of the program: the words that call it after the program's name."""

    words: tuple[str, ...]
    command: Command

    @property
    def page_name(self) -> str:
        """``auctionctl-key-show``"""
        return "-".join((PROGRAM, *self.words))

    @property
    def is_group(self) -> bool:
        """Whether it is only there for its subcommands."""
        return isinstance(self.command, TyperGroup)


def walk(command: Command, words: tuple[str, ...] = ()) -> Iterator[Entry]:
    """``command`` and everything below it that is not hidden, in the order of the help text."""
    yield Entry(words, command)
    if isinstance(command, TyperGroup):
        for name in command.commands:
            below: Any = command.commands[name]
            if not below.hidden:
                yield from walk(below, (*words, name))


def command_pages(root: Any, written: tuple[str, ...] = ()) -> list[Page]:
    """The pages of ``root``, a command of Typer's, and of all commands below; ``written`` are references of others."""
    entries = list(walk(root))
    return [_page(entry, entries, written) for entry in entries]


def _page(entry: Entry, entries: list[Entry], written: tuple[str, ...]) -> Page:
    command = entry.command
    title = sentence(command.help or "").split("\n\n")[0].split(". ")[0].rstrip(".")
    parts: list[Part] = [Heading("Synopsis"), Paragraph(_synopsis(entry))]
    parts += [Heading("Description"), *(Paragraph(text) for text in sentence(command.help or "").split("\n\n"))]
    parts += _subcommands(entry, entries)
    arguments = [param for param in command.params if isinstance(param, TyperArgument)]
    options = [param for param in command.params if isinstance(param, TyperOption) and not param.hidden]
    if arguments:
        parts += [Heading("Arguments"), Definitions(tuple((_argument_term(each), _text(each)) for each in arguments))]
    parts += [Heading("Options"), Definitions((*((_option_term(each), _text(each)) for each in options), HELP))]
    if not entry.is_group or not entry.words:
        parts += [Heading("Exit status"), _statuses()]
    parts += _json(entry, entries, options)
    parts += _files(entry) + _environment(entry, options) + _examples(command)
    return Page(entry.page_name, 1, title, tuple(parts), _see_also(entry, entries, written))


def sentence(text: str) -> str:
    """Text of the program's help with marks that fit: paragraphs kept, backquotes only where they pair."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(part.replace("`", "") if part.count("`") % 2 else part for part in paragraphs)


def _synopsis(entry: Entry) -> str:
    pieces = [f"`{' '.join((PROGRAM, *entry.words))}`", "[‹OPTION›]..."]
    pieces += [_in_synopsis(param) for param in entry.command.params if isinstance(param, TyperArgument)]
    if entry.is_group:
        pieces += ["‹COMMAND›", "[‹ARGUMENT›]..."]
    return " ".join(pieces)


def _in_synopsis(argument: TyperArgument) -> str:
    name = f"‹{_metavar(argument)}›"
    return (name if argument.required else f"[{name}]") + ("..." if argument.nargs == -1 else "")


def _metavar(param: Param) -> str:
    """What stands for the value, without brackets around all of it, nor dots behind."""
    choices = getattr(param.type, "choices", None)
    if param.metavar:
        return _ENCLOSED.sub(r"\1", param.metavar.removesuffix("..."))
    if choices is not None:
        return "|".join(str(getattr(choice, "value", choice)) for choice in choices)
    if isinstance(param, TyperArgument):
        return (param.name or "").upper().replace("_", "-")
    return _METAVARS.get(param.type.name, (param.name or "").upper().replace("_", "-"))


def _argument_term(argument: TyperArgument) -> str:
    return f"‹{_metavar(argument)}›"


def _option_term(option: TyperOption) -> str:
    names = ", ".join(f"`{name}`" for name in (*sorted(option.opts, key=len), *option.secondary_opts))
    return names if option.is_flag else f"{names} ‹{_metavar(option)}›"


def _text(param: Param) -> str:
    """What is said of a parameter: its help, then whether it is needed, its bounds, its default, its variable."""
    said = [sentence(param.help or "")]
    low, high = getattr(param.type, "min", None), getattr(param.type, "max", None)
    if param.required:
        said.append("Required." if isinstance(param, TyperOption) else "")
    if low is not None and high is not None:
        said.append(f"From {low} to {high}.")
    if getattr(param, "multiple", False):
        said.append("May be given several times.")
    is_flag = isinstance(param, TyperOption) and param.is_flag
    if not is_flag and not callable(param.default) and param.default not in (None, "", [], ()):
        said.append(f"Default: `{getattr(param.default, 'value', param.default)}`.")
    said += [f"Variable: `{name}`." for name in _variables_of(param)]
    return " ".join(filter(None, said))


def _variables_of(param: Param) -> list[str]:
    declared = [param.envvar] if isinstance(param.envvar, str) else list(param.envvar or ())
    return declared + [each.name for each in VARIABLES if _is_shared(param) and each.belongs_to in param.opts]


def _is_shared(param: Param) -> bool:
    """Whether it is an option of all commands, and not one of the same name, for which no variable stands."""
    return any(get_args(each)[1].help == param.help for each in GLOBALS.values())


def _subcommands(entry: Entry, entries: list[Entry]) -> list[Part]:
    below = [each for each in entries if each.words[:-1] == entry.words and len(each.words) == len(entry.words) + 1]
    if not below:
        return []
    items = tuple((f"`{each.page_name}`(1)", sentence(each.command.help or "").split("\n\n")[0]) for each in below)
    return [Heading("Commands"), Definitions(items)]


def _statuses() -> Part:
    return Definitions(tuple((f"`{status.value}`", meaning) for status, meaning in MEANINGS.items()))


def schemas_of(entry: Entry, entries: list[Entry]) -> Schema:
    """What is said of the JSON that a command writes; nothing, if nobody says anything."""
    if entry.is_group or entry.command.callback is None:
        return {}
    if "-".join(entry.words) in FIELDS:
        return FIELDS["-".join(entry.words)]
    module = sys.modules[inspect.unwrap(entry.command.callback).__module__]
    said: Schema = getattr(module, "JSON_SCHEMA", {})
    own = _schema_name(entry)
    if own in said:
        return {own: said[own]}
    others = {_schema_name(each) for each in entries}
    return {name: fields for name, fields in said.items() if name not in others}


def writes_json(entry: Entry) -> bool:
    """Whether the command has ``--json``."""
    return not entry.is_group and any("--json" in param.opts for param in entry.command.params)


def _schema_name(entry: Entry) -> str:
    return f"{PROGRAM}.{'-'.join(entry.words)}/1"


def _json(entry: Entry, entries: list[Entry], options: list[TyperOption]) -> list[Part]:
    if not entry.words or not any("--json" in option.opts for option in options):
        return []
    parts: list[Part] = [
        Heading("JSON"),
        Paragraph(
            "An error is one object on stderr: `error`, with `code` (a status by its name), `message` and `hint`."
            " Amounts are objects of `minor` (units) and `currency`, times nanoseconds since 1970 (UTC)."
        ),
    ]
    schemas = schemas_of(entry, entries)
    for name, fields in schemas.items():
        rows = tuple((f"`{field}`", meaning) for field, meaning in fields.items())
        parts += [Paragraph(f"Fields of `{name}`:"), Table(("field", "meaning"), rows)]
    return parts if schemas else [*parts, Paragraph(NOT_DESCRIBED)]


def _files(entry: Entry) -> list[Part]:
    found: list[File] = [each for each in FILES if not entry.words or entry.words[0] in each.belongs_to]
    if not found:
        return []
    other = "On macOS configuration and state are in `~/Library/Application Support/auctionctl`; see `AUCTIONCTL_HOME`."
    items = tuple((f"`{each.path}`" if "‹" not in each.path else _path(each.path), each.meaning) for each in found)
    return [Heading("Files"), Definitions(items), *([] if entry.words else [Paragraph(other)])]


def _path(path: str) -> str:
    """A path with placeholders in it, each piece in its own marks."""
    return "".join(piece if piece.startswith("‹") else f"`{piece}`" for piece in re.split(r"(‹[^›]*›)", path) if piece)


def _environment(entry: Entry, options: list[TyperOption]) -> list[Part]:
    names = {name for option in options if _is_shared(option) or option.envvar for name in option.opts}
    found: list[Variable] = [
        each for each in VARIABLES if not entry.words or each.belongs_to == ALL or each.belongs_to in names
    ]
    return [Heading("Environment"), Definitions(tuple((f"`{each.name}`", each.meaning) for each in found))]


def _examples(command: Command) -> list[Part]:
    text = _EXAMPLE.sub("", inspect.cleandoc(command.epilog or ""))
    lines = [_EXAMPLE.sub("", line.strip()) for line in text.split("\n") if line.strip()]
    return [Heading("Examples"), Code("\n".join(f"$ {line}" for line in lines))] if lines else []


def _see_also(entry: Entry, entries: list[Entry], written: tuple[str, ...]) -> tuple[str, ...]:
    if not entry.words:
        return written
    group = entry.words[:1] if len(entry.words) > 1 else ()
    near = [each for each in entries if each.words[:-1] == entry.words[:-1] and len(each.words) > 1] if group else []
    found = [each for each in entries if each.words in ((), group)] + near
    names = dict.fromkeys(f"{each.page_name}(1)" for each in found if each.words != entry.words)
    return (*names, *(more for more in MORE.get(entry.words[0], ()) if more in written))


def program() -> Any:
    """The program, as a command of Typer's."""
    from auctionctl.cli.app import app  # noqa: PLC0415 - a command's module may import the manual

    return typer.main.get_command(app)
