"""What may come next on a command line: the answer that the completion scripts of every shell ask for.

Rule: it connects to nobody, writes to nothing but stdout, and loads the module of no command but the one that has been
typed. The scripts (:mod:`auctionctl.cli.completion.command`) run the program under the name that was typed, with
``_AUCTIONCTL_COMPLETE=bash|zsh|fish`` in its environment and the words so far as its arguments, the last one being the
word to complete, which may be empty. The answer's first line is ``words``, ``files`` or ``directories``; lines of word,
tab, description follow. Typer's own protocol is not used: it imports Rich, and has zsh evaluate what it prints.
"""

from __future__ import annotations

import enum
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.models import TyperPath

from auctionctl.cli.command_table import SUMMARIES, LazyCommands
from auctionctl.cli.completion import candidates
from auctionctl.cli.completion.candidates import Candidate, Known, Source
from auctionctl.client.paths import find_paths
from auctionctl.views.peer_text import safe_text

if TYPE_CHECKING:
    from typer.core import TyperCommand

    Command = TyperCommand | TyperGroup
    Param = TyperArgument | TyperOption

BASH: Final = "bash"
HELP: Final = ("--help", "Show this message and exit.")
MAX_DESCRIPTION_CHARACTERS: Final = 100

OPTION_SOURCES: Final[dict[str, Source]] = {
    "--house": candidates.context_names,
    "--key": candidates.key_names,
    "--context": candidates.context_names,
    "--strategy": candidates.strategy_names,
    "--role": candidates.roles,
}
"""Option → what it can be, in every command."""

ARGUMENT_SOURCES: Final[dict[tuple[str, str], Source]] = {
    ("key", "name"): candidates.key_names,
    ("context", "name"): candidates.context_names,
    ("allow rm", "name"): candidates.allowed_names,
    ("strategies", "name"): candidates.strategy_names,
}
"""(Command or group, name of the argument) → what it can be; a command goes before its group."""

_AUCTION: Final = re.compile(r"\[?(ID|AUCTION)\]?(\.\.\.)?")
_ALTERNATIVES: Final = re.compile(r"\[?([a-z][a-z0-9-]*(?:\|[a-z][a-z0-9-]*)+)\]?")


class Kind(enum.Enum):
    """What the shell is to offer."""

    WORDS = "words"
    FILES = "files"
    DIRECTORIES = "directories"


@dataclass(frozen=True, slots=True)
class Answer:
    """What may come next; ``words`` are all there are, whatever has been typed of one."""

    kind: Kind
    words: tuple[Candidate, ...] = ()


@dataclass(slots=True)
class _Position:
    """Where in the program's grammar the words so far lead."""

    command: Command
    path: list[str] = field(default_factory=list)
    argument_count: int = 0
    awaiting: TyperOption | None = None
    options: dict[str, str] = field(default_factory=dict)
    takes_options: bool = True

    def step(self, word: str) -> bool:
        """Go on past ``word``; whether it leads anywhere."""
        if self.awaiting is not None:
            self._give(self.awaiting, word)
        elif self.takes_options and word == "--":
            self.takes_options = False
        elif self.takes_options and word.startswith("-") and word != "-":
            self._take_option(word)
        elif isinstance(self.command, TyperGroup):
            following: Any = self.command.commands.get(word)
            if following is None:
                return False
            self.command = following
            self.path.append(word)
        else:
            self.argument_count += 1
        return True

    def option(self, name: str) -> TyperOption | None:
        """The option of the present command that is called ``name``."""
        options = (param for param in self.command.params if isinstance(param, TyperOption))
        return next((option for option in options if name in (*option.opts, *option.secondary_opts)), None)

    def argument(self) -> TyperArgument | None:
        """The argument that comes next, if there is one."""
        arguments = [param for param in self.command.params if isinstance(param, TyperArgument)]
        if self.argument_count < len(arguments):
            return arguments[self.argument_count]
        return arguments[-1] if arguments and arguments[-1].nargs == -1 else None

    def _take_option(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if not word.startswith("--"):
            name, equals, value = word[:2], word[2:], word[2:]
        option = self.option(name)
        if option is None or option.is_flag or option.count:
            self.options[name] = ""
        elif equals:
            self._give(option, value)
        else:
            self.awaiting = option

    def _give(self, option: TyperOption, value: str) -> None:
        self.awaiting = None
        self.options |= dict.fromkeys(option.opts, value)


def complete(root: Command, words: Sequence[str], environment: Mapping[str, str]) -> Answer:
    """What may stand for the last of ``words``, after the others; the program's own name is not among them."""
    position = _Position(root)
    *before, last = words or ("",)
    if not all(map(position.step, before)):
        return Answer(Kind.WORDS)
    known = Known(find_paths(environment), environment, position.options, last)
    if position.awaiting is not None:
        return _values(position, position.awaiting, known)
    if position.takes_options and last.startswith("-"):
        name, equals, begun = last.partition("=")
        option = position.option(name)
        if not equals or option is None or option.is_flag:
            return Answer(Kind.WORDS, tuple(_option_names(position)))
        answer = _values(position, option, Known(known.paths, environment, position.options, begun))
        return Answer(answer.kind, tuple((f"{name}={word}", text) for word, text in answer.words))
    if isinstance(position.command, TyperGroup):
        return Answer(Kind.WORDS, tuple(_command_names(position.command)))
    argument = position.argument()
    return Answer(Kind.WORDS) if argument is None else _values(position, argument, known)


def _command_names(group: TyperGroup) -> Iterator[Candidate]:
    commands: Any = group.commands
    for name in commands:
        if isinstance(commands, LazyCommands):  # to look at one would load its module
            yield name, SUMMARIES.get(name, "")
        elif not commands[name].hidden:
            yield name, commands[name].get_short_help_str(MAX_DESCRIPTION_CHARACTERS)


def _option_names(position: _Position) -> Iterator[Candidate]:
    for param in position.command.params:
        if not isinstance(param, TyperOption) or param.hidden:
            continue
        if param.multiple or not position.options.keys() & {*param.opts, *param.secondary_opts}:
            for name in (*param.opts, *param.secondary_opts):
                yield name, param.help or ""
    yield HELP


def _values(position: _Position, param: Param, known: Known) -> Answer:
    metavar = param.metavar or ""
    choices: Iterable[Any] | None = getattr(param.type, "choices", None)
    alternatives = _ALTERNATIVES.fullmatch(metavar)
    if choices is not None:
        return Answer(Kind.WORDS, tuple((str(getattr(choice, "value", choice)), "") for choice in choices))
    if alternatives is not None:
        return Answer(Kind.WORDS, tuple((choice, "") for choice in alternatives[1].split("|")))
    if isinstance(param.type, TyperPath):
        return Answer(Kind.DIRECTORIES if metavar == "DIR" or not param.type.file_okay else Kind.FILES)
    source = _source(position, param)
    return Answer(Kind.WORDS, () if source is None else tuple(source(known)))


def _source(position: _Position, param: Param) -> Source | None:
    if _AUCTION.fullmatch(param.metavar or ""):
        return candidates.auctions
    if isinstance(param, TyperOption):
        return next((OPTION_SOURCES[name] for name in param.opts if name in OPTION_SOURCES), None)
    path = " ".join(position.path)
    places = ((path, param.name or ""), (path.partition(" ")[0], param.name or ""))
    return next((ARGUMENT_SOURCES[place] for place in places if place in ARGUMENT_SOURCES), None)


def split_words(shell: str, arguments: Sequence[str]) -> list[str]:
    """The words as they were typed: bash parts them at ``=`` and ``:`` too, and leaves an opening quote."""
    if shell != BASH:
        return list(arguments)
    words: list[str] = []
    goes_on = False
    for piece in arguments:
        is_break = piece != "" and not piece.strip("=:")
        if words and (goes_on or is_break):
            words[-1] += piece
        else:
            words.append(piece)
        goes_on = is_break
    return [word.lstrip("\"'") for word in words]


def lines_of(shell: str, answer: Answer, begun: str) -> Iterator[str]:
    """The lines of the answer, of words only those that go on from ``begun``."""
    yield answer.kind.value
    # Bash replaces what follows the '=' alone, the others the whole word.
    cut = begun.find("=") + 1 if shell == BASH and begun.startswith("-") else 0
    for word, text in answer.words:
        if word.startswith(begun):
            yield f"{word[cut:]}\t{safe_text(text, MAX_DESCRIPTION_CHARACTERS) if text else ''}"


def answer_shell(root: Any, shell: str, arguments: Sequence[str]) -> None:
    """Write the answer for ``shell`` to stdout; ``root`` is the program, as a command of Typer's."""
    words = split_words(shell, arguments)
    answer = complete(root, words, os.environ)
    text = "".join(f"{line}\n" for line in lines_of(shell, answer, words[-1] if words else ""))
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
