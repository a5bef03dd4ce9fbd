"""The language of the scripts (described in conftest.py): text → steps, and expected lines → a pattern.

Rule: a line that is not understood is an error with its number; a script never passes because of a slip in it.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

PATTERNS: Final = {
    "auc1…": "auc1(?:[a-z0-9]{109}|[a-z0-9]{0,20}…)",
    "<hex>": "[0-9a-f]+",
    "<n>": "[0-9]+",
    "<time>": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{3})?Z",
    "<empty>": "",
    "…": ".*",
}
ANY_LINES: Final = "..."
SIGNALS: Final = {"stop": "SIGTERM", "kill": "SIGKILL", "interrupt": "SIGINT", "hangup": "SIGHUP"}

_SPLIT = re.compile("(" + "|".join(map(re.escape, PATTERNS)) + ")")
_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*)")


class Failure(Exception):
    """A script that does not hold, or is none; ``line`` is counted from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True)
class Step:
    """One command, directive or end of a background command, with what is expected of it.

    ``verb`` is ``$``, ``&``, ``await``, ``wait``, ``let``, ``file``, ``files`` or one of SIGNALS; ``rest`` what stands
    behind it; ``body`` the lines of a ``file`` or ``files``.
    """

    line: int
    verb: str
    rest: str
    body: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    status: int = 0


VERBS: Final = frozenset({"$", "&", "await", "wait", "let", "file", "files", *SIGNALS})
WITH_RESULT: Final = frozenset({"$", "wait", *SIGNALS})
WITH_BODY: Final = frozenset({"file", "files"})


def parse(text: str) -> list[Step]:
    """The steps of a script. Raises Failure for a line that is none."""
    steps: list[Step] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        verb, _, rest = line.partition(" ")
        if verb in VERBS:
            steps.append(Step(number, verb, rest))
        elif not steps:
            raise Failure(number, f"before the first command: {line!r}")
        else:
            _add(steps[-1], number, line)
    if not steps:
        raise Failure(1, "this script does nothing")
    return steps


def _add(step: Step, number: int, line: str) -> None:
    if step.verb in WITH_BODY and (line == "|" or line.startswith("| ")):
        step.body.append(line[2:])
    elif step.verb in WITH_RESULT and line.startswith("  "):
        step.out.append(line[2:])
    elif step.verb in WITH_RESULT and (line == "!" or line.startswith("! ")):
        step.err.append(line[2:])
    elif step.verb in WITH_RESULT and re.fullmatch(r"exit -?[0-9]+", line):
        step.status = int(line.removeprefix("exit "))
    else:
        raise Failure(number, f"not understood after {step.verb!r}: {line!r}")


def substitute(text: str, variables: Mapping[str, str], line: int) -> str:
    """``text`` with each ``$NAME`` replaced; one that is not known is a Failure."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in variables:
            raise Failure(line, f"${match[1]} is not set; there are: {', '.join(sorted(variables))}")
        return variables[match[1]]

    return _VARIABLE.sub(value, text)


@dataclass(frozen=True, slots=True)
class Command:
    """Words to run, settings for its environment, and files for its stdin and stdout."""

    words: tuple[str, ...]
    environment: dict[str, str]
    stdin: str | None
    stdout: str | None


def read_command(text: str, variables: Mapping[str, str], line: int) -> Command:
    """Split a command into words, and then replace variables, so that a blank in one parts nothing."""
    try:
        words = [substitute(word, variables, line) for word in shlex.split(text)]
    except ValueError as error:
        raise Failure(line, f"{error}: {text!r}") from None
    environment: dict[str, str] = {}
    while words and re.match(r"[A-Z][A-Z0-9_]*=", words[0]):
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    streams: dict[str, str | None] = {"<": None, ">": None}
    while len(words) > 2 and words[-2] in streams:
        streams[words[-2]] = words[-1]
        del words[-2:]
    if not words:
        raise Failure(line, "no command")
    return Command(tuple(words), environment, streams["<"], streams[">"])


def line_pattern(expected: str) -> str:
    """The regular expression of one expected line, without its end."""
    return "".join(PATTERNS.get(part, re.escape(part)) for part in _SPLIT.split(expected))


def is_like(expected: Sequence[str], actual: str) -> bool:
    """Whether ``actual`` (each line with its end) is as ``expected`` says."""
    pattern = "".join("(?:.*\n)*" if line == ANY_LINES else line_pattern(line) + "\n" for line in expected)
    return re.fullmatch(pattern, actual if not actual or actual.endswith("\n") else actual + "\n") is not None


def difference(what: str, expected: Sequence[str], actual: str) -> str:
    """A diff for people; expected lines that fit stand in it as what they fitted."""
    lines = actual.split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    wanted = list(_as_fitted(expected, lines))
    return f"{what} is not as expected:\n" + "\n".join(
        difflib.unified_diff(wanted, lines, "expected", "actual", lineterm="", n=20)
    )


def _as_fitted(expected: Sequence[str], lines: Sequence[str]) -> Iterator[str]:
    start = 0
    for line in expected:
        pattern = line_pattern(line)
        found = next((n for n in range(start, len(lines)) if re.fullmatch(pattern, lines[n])), None)
        if line == ANY_LINES or found is None:
            yield line
        else:
            yield lines[found]
            start = found + 1
