"""The program: which commands there are, and the one boundary at which errors become lines and exit statuses.

Rule: a command's module is imported when the command is asked for, and not before; commands raise errors of
:mod:`auctionctl.errors` and return an :class:`ExitStatus`, and nothing but this file catches what they did not expect.
"""

from __future__ import annotations

import itertools
import os
import resource
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from auctionctl import __version__
from auctionctl.cli.command_table import COMMANDS, LazyCommands, summaries
from auctionctl.cli.exit_status import ExitStatus, status_of
from auctionctl.cli.options import ContextOption, HouseOption, JsonOption, KeyOption, OutputOption, PassphraseFileOption
from auctionctl.cli.output import Form, say_on_stderr_to, write_error
from auctionctl.cli.streams import drop_what_cannot_be_written, hold_streams, stop_writing
from auctionctl.errors import AuctionctlError

PROGRAM: Final = "auctionctl"
DEBUG_VARIABLE: Final = "AUCTIONCTL_DEBUG"
COMPLETE_VARIABLE: Final = "_AUCTIONCTL_COMPLETE"
"""Set by the completion scripts: the program then says what may come next (:mod:`auctionctl.cli.completion`)."""

HELP_FRAME_COLUMNS: Final = 6
"""Of a line of help, what stands beside a command's name and its words."""

OUTLIVING_READERS: Final = frozenset({"serve", "demo", "bench"})
"""Commands that own processes or promises: that nobody reads their output any more must not kill them at a write."""


class Commands(TyperGroup):
    """The root command, over :data:`COMMANDS`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - a method's shape
        """What every command is for, from the table: no command is loaded to be named."""
        limit = formatter.width - HELP_FRAME_COLUMNS - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl(summaries(limit))


app = typer.Typer(
    cls=Commands,
    name=PROGRAM,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        raise typer.Exit


@app.callback(epilog="Example: auctionctl demo")
def root(
    invocation: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
    house: HouseOption = None,  # noqa: ARG001 - read where a command's own option is not given (cli/options.py)
    key: KeyOption = None,  # noqa: ARG001
    context: ContextOption = None,  # noqa: ARG001
    passphrase_file: PassphraseFileOption = None,  # noqa: ARG001
    output: OutputOption = None,  # noqa: ARG001
    as_json: JsonOption = False,  # noqa: ARG001
) -> None:
    """Auctions between parties who do not trust one another: signed bids, receipts, a log that anyone can verify."""
    if invocation.invoked_subcommand not in OUTLIVING_READERS:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name); returns its exit status, having reported what went wrong."""
    say_on_stderr_to(None)
    try:
        result = typer.main.get_command(app)(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except AuctionctlError as error:
        status = status_of(error)
        write_error(_form_of_errors(arguments), status, str(error), error.hint)
    except typer.TyperException as error:
        return _report_usage(_form_of_errors(arguments), error)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except SystemExit as ending:
        # Typer answers a broken pipe with exit status 1; what a signal's handler raises goes on its way.
        if isinstance(ending.__context__, BrokenPipeError):
            return _report_internal(_form_of_errors(arguments), ending.__context__)
        raise
    except Exception as error:  # noqa: BLE001 - the boundary
        return _report_internal(_form_of_errors(arguments), error)
    else:
        return int(result) if isinstance(result, int) else ExitStatus.OK
    return status


def _form_of_errors(arguments: Sequence[str]) -> Form:
    """In which form to report errors, be they in the command line itself."""
    words = list(arguments)
    values = {after for word, after in itertools.pairwise(words) if word in ("-o", "--output")}
    values |= {word.partition("=")[2] for word in words if word.startswith("--output=")}
    if "--json" in words:
        return Form.JSON
    if not values:
        from auctionctl.cli.settings.person_file import find_form  # noqa: PLC0415 - to tell the version needs no files
        from auctionctl.client.paths import find_paths  # noqa: PLC0415

        try:
            return find_form(find_paths()) or Form.PLAIN
        except AuctionctlError:
            # The settings are wrong, and very likely that is the error to be reported.
            return Form.PLAIN
    return Form.PLAIN if values.isdisjoint({Form.JSON.value, Form.JSONL.value}) else Form.JSON


def _report_usage(form: Form, error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(error.format_message() + "\n")
        return ExitStatus.USAGE
    path = PROGRAM if context is None else context.command_path
    hint = getattr(error, "hint", "") or f"see {path} --help"
    message = error.format_message().rstrip(".")
    if message[1:2].islower():  # typer begins with a capital; the names of our arguments are all capitals
        message = message[0].lower() + message[1:]
    write_error(form, ExitStatus.USAGE, message, hint)
    return ExitStatus.USAGE


def _report_internal(form: Form, error: Exception) -> int:
    if isinstance(error, BrokenPipeError):
        # Nobody reads us; the interpreter's own attempt to flush at exit would complain a second time.
        stop_writing()
        return 128 + signal.SIGPIPE
    is_stdout_lost = drop_what_cannot_be_written()
    if os.environ.get(DEBUG_VARIABLE):
        import traceback  # noqa: PLC0415

        traceback.print_exception(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else "cannot write to stdout: " if is_stdout_lost else ""
        hint = "is it closed, or its disk full?" if is_stdout_lost else ""
        write_error(form, ExitStatus.INTERNAL, f"{where}{error.strerror.lower()}", hint)
    else:
        hint = f"this is a fault in {PROGRAM}: report it with what {DEBUG_VARIABLE}=1 prints"
        write_error(form, ExitStatus.INTERNAL, f"internal error: {type(error).__name__}: {error}", hint, error)
    return ExitStatus.INTERNAL


def _complete(shell: str, words: Sequence[str]) -> int:
    """Answer a completion script; whatever goes wrong, nobody at a prompt wants to read of it."""
    from auctionctl.cli.completion.completer import answer_shell  # noqa: PLC0415 - for completion alone

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        answer_shell(typer.main.get_command(app), shell, words)
    except Exception:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        return ExitStatus.INTERNAL
    return ExitStatus.OK


def _terminate(signal_number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a handler's shape
    # An exception, so that every 'with' and 'finally' on the way restores the terminal and stops its processes.
    raise SystemExit(128 + signal_number)


def main() -> NoReturn:
    """The entry point of the program."""
    hold_streams()
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))  # Most commands hold a secret key, or start who does.
    shell = os.environ.get(COMPLETE_VARIABLE)
    if shell:
        sys.exit(_complete(shell, sys.argv[1:]))
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, _terminate)
    status = run(sys.argv[1:])
    sys.exit(status or ExitStatus.INTERNAL if drop_what_cannot_be_written() else status)
