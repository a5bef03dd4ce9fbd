"""``serve``: runs a house from a file of lots, until it is stopped or every auction has ended.

Rule: everything that can be wrong with the file, the key or the allow list is found out before anything starts. That
nobody reads what this writes does not stop an auction.
"""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auctionctl.cli.address_file import published_address
from auctionctl.cli.allow import read_allow_list
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.house_state import check_one_state, mark_state
from auctionctl.cli.metrics_option import serving_metrics
from auctionctl.cli.options import JsonOption, PassphraseFileOption
from auctionctl.cli.output import Form, write_note
from auctionctl.cli.passphrases import open_key
from auctionctl.cli.process_log import LogFormat, LogFormatOption, ProcessLog, choose_log_form, open_log
from auctionctl.cli.progress import PassingProgress
from auctionctl.cli.serve_reports import log_report, write_report, write_report_json
from auctionctl.cli.store_options import StoreOptions, with_store
from auctionctl.cli.streams import has_room, stop_writing
from auctionctl.client.paths import Paths, find_paths
from auctionctl.net.family_log import family_writes

if TYPE_CHECKING:
    from auctionctl.cli.settings.house_file import HouseSection
    from auctionctl.cli.settings.lots import AuctionsFile
    from auctionctl.house.limits import Limits
    from auctionctl.net.house_settings import HouseSettings, NewSettings
    from auctionctl.net.reports import Measured, News, Report, Restarted, Serving
    from auctionctl.net.strangers import StrangerLimits
    from auctionctl.net.supervisor import Ended
    from auctionctl.views.log_line import LogForm

RECOVERING: Final = "replaying the logs"

app = typer.Typer(rich_markup_mode=None)

_LotsArgument = Annotated[
    Path | None, typer.Argument(metavar="[AUCTIONS.toml]", readable=False, help="The lots to sell.")
]
_GatewaysOption = Annotated[int | None, typer.Option(min=1, max=16, help="Processes that take connections.")]
_OpenOption = Annotated[bool, typer.Option("--open", help="Let strangers in too, as bidders with tighter limits.")]
_LossyOption = Annotated[
    bool, typer.Option("--allow-lossy", help="Take a cluster that may lose what it has acknowledged.")
]
_InstanceOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Run this one of several instances of the house; needs --store.")
]
_AdvertiseOption = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Where clients reach this instance; default: bind and port.")
]
_MetricsOption = Annotated[
    str | None,
    typer.Option(metavar="[HOST:]PORT", help="Serve metrics there, for Prometheus; without HOST on 127.0.0.1."),
]


@app.command(epilog="Example: auctionctl serve AUCTIONS.toml --until-closed")
@with_store
def serve(
    file: _LotsArgument = None,
    *,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The house's settings, in place of the usual house.toml.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The name of the house's state.")] = None,
    key: Annotated[str | None, typer.Option(metavar="NAME", help="The house's key.")] = None,
    bind: Annotated[str | None, typer.Option(metavar="HOST", help="Listen on this address.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Listen on this port.")] = None,
    verifiers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes that check signatures.")] = None,
    gateways: _GatewaysOption = None,
    is_open: _OpenOption = False,
    until_closed: Annotated[bool, typer.Option("--until-closed", help="End once every auction has ended.")] = False,
    allow_lossy: _LossyOption = False,
    instance: _InstanceOption = None,
    advertise: _AdvertiseOption = None,
    metrics: _MetricsOption = None,
    log_format: LogFormatOption = None,
    passphrase_file: PassphraseFileOption = None,
    as_json: JsonOption = False,
    at_store: StoreOptions,
) -> int:
    """Run a house: announce the lots of a file, take bids, sign receipts; resumes what it ran before."""
    log_in(log_format or LogFormat.AUTO)
    given = {"name": name, "key": key, "bind": bind, "port": port, "verifiers": verifiers, **at_store}
    given |= {"instance": instance, "advertise": advertise, "gateways": gateways}
    given["log_format"] = None if log_format is None else log_format.value
    given |= {"access": "open" if is_open else None, "durability": "lossy" if allow_lossy else None}
    options = {name: value for name, value in given.items() if value is not None}
    paths = find_paths()
    read = partial(read_plan, paths, file, config, options)
    content = read()
    from auctionctl.cli.settings.cluster_settings import check_access  # noqa: PLC0415
    from auctionctl.keys.keyfile import key_path  # noqa: PLC0415 - imports libsodium
    from auctionctl.net.house_settings import Finish  # noqa: PLC0415
    from auctionctl.net.sd_notify import take_notifier  # noqa: PLC0415
    from auctionctl.net.supervisor import serve as run_house  # noqa: PLC0415

    section = content.house
    log_form, log = log_in(section.log_format)
    secret = open_key(key_path(paths.keys, section.key), passphrase_file).key
    check_one_state(paths, section.name, secret.identity)
    check_access(section)
    _check_whom(section, paths)
    settings = dataclasses.replace(settings_of(section, paths), tells_measures=metrics is not None)
    report = write_report_json if as_json else write_report if log is None else None
    recovery = PassingProgress(Form.JSON if as_json or log is not None else Form.PLAIN, RECOVERING)
    with (
        published_address(paths, section.name) as address_file,
        closing(recovery),
        serving_metrics(metrics) as on_numbers,
        family_writes(log_form),
    ):

        def on_serving(serving: Serving) -> None:
            if not address_file.is_published:
                mark_state(paths, section.name, secret.identity)
                address_file.publish(serving.address)

        ended = run_house(
            settings,
            secret,
            content.lots,
            heeding(recovery, on_serving, on_numbers, report, log),
            Finish.WHEN_CLOSED if until_closed else Finish.NEVER,
            read_settings=lambda: _new_settings(section, read()),
            notifier=take_notifier(),
        )
    return status_of_end(ended)


def log_in(wanted: LogFormat) -> tuple[LogForm, ProcessLog | None]:
    """Have this process write on stderr as is ``wanted``: the form, and the log where that is not for people."""
    form = choose_log_form(wanted)
    return form, open_log(form, "supervisor")


def _new_settings(section: HouseSection, new: AuctionsFile) -> NewSettings:
    """What ``new`` says instead of ``section``, under which the house was started."""
    from auctionctl.cli.settings.house_file import needing_restart  # noqa: PLC0415
    from auctionctl.net.house_settings import NewSettings  # noqa: PLC0415

    restart = needing_restart(section, new.house)
    return NewSettings(limits_of(new.house), new.house.retention_ns, new.lots, restart)


def _check_whom(section: HouseSection, paths: Paths) -> None:
    """The allow list can be read; and a word where it lets in nobody, or others than those on it may do something."""
    from auctionctl.cli.settings.cluster_settings import reach_words, wire_words  # noqa: PLC0415
    from auctionctl.keys.access import Access  # noqa: PLC0415

    _, allowed = read_allow_list(paths.allow_list)
    if words := wire_words(section.store):
        write_note(words)
    if words := reach_words(section):
        write_note(words)
    if section.access is Access.OPEN:
        write_note("strangers are let in: whoever reaches this house may bid")
    elif not allowed:
        write_note(f"nobody is on the allow list {paths.allow_list}; let bidders in: auctionctl allow add KEY NAME")


def heeding(
    recovery: PassingProgress,
    on_serving: Callable[[Serving], None],
    on_numbers: Callable[[Measured | Restarted], None],
    write: Callable[[News], None] | None,
    log: ProcessLog | None = None,
) -> Callable[[Report], None]:
    """What to do with each report of a house: show how far it is, heed that it serves and works, or tell it.

    It is told to ``log`` on stderr, and to ``write`` on stdout, where there is the one or the other.
    """
    from auctionctl.net.reports import Measured, Recovering, Restarted, Serving  # noqa: PLC0415

    def heed(report: Report) -> None:
        if isinstance(report, Recovering):
            recovery.show(report.done, report.total)
            if log is not None:
                log.progress("recovering", RECOVERING, report.done, report.total)
            return
        if isinstance(report, (Measured, Restarted)):
            on_numbers(report)
        if isinstance(report, Measured):
            return
        recovery.close()
        if isinstance(report, Serving):
            on_serving(report)
        if log is not None:
            log_report(log, report)
        if write is None or not (isinstance(report, Serving) or has_room()):
            return  # Whoever supervises a house must not wait for a reader that has fallen asleep.
        try:
            write(report)
        except OSError:
            stop_writing()

    return heed


def status_of_end(ended: Ended) -> ExitStatus:
    """A house that SIGTERM has ended in order has done what it was asked to; Ctrl-C says so, as everywhere."""
    if ended.by is signal.SIGINT:
        return ExitStatus.INTERRUPTED
    return ExitStatus.TERMINATED if ended.is_cut_short else ExitStatus.OK


def read_plan(paths: Paths, file: Path | None, config: Path | None, options: Mapping[str, str | int]) -> AuctionsFile:
    """The settings and lots that ``file``, the house file and the ``options`` say together, checked."""
    from auctionctl.cli.settings.house_file import combine, find_house_layers, option_layer  # noqa: PLC0415
    from auctionctl.cli.settings.lots import AuctionsFile, read_auctions  # noqa: PLC0415 - imports libsodium

    above = [option_layer(options)]
    below = find_house_layers(paths.config, config)
    if file is None:
        return AuctionsFile(combine(below + above), ())
    return read_auctions(file, below, above)


def settings_of(section: HouseSection, paths: Paths) -> HouseSettings:
    """What the processes of a house are started with."""
    from auctionctl.cli.settings.cluster_settings import access_of  # noqa: PLC0415
    from auctionctl.net.door import DoorLimits  # noqa: PLC0415
    from auctionctl.net.house_settings import HouseSettings  # noqa: PLC0415

    return HouseSettings(
        section.name,
        section.bind,
        section.port,
        section.verifiers,
        limits_of(section),
        paths.house_state(section.name),
        paths.allow_list,
        section.retention_ns,
        DoorLimits(section.max_connections_a_key, section.max_connections, stranger_limits_of(section)),
        store=section.store,
        durability=section.durability,
        instance=section.instance,
        advertise=section.advertise or "",
        gateways=section.gateways,
        store_access=access_of(section),
    )


def stranger_limits_of(section: HouseSection) -> StrangerLimits | None:
    """How many connections strangers may have; None where they are not let in."""
    from auctionctl.keys.access import Access  # noqa: PLC0415
    from auctionctl.net.strangers import StrangerLimits  # noqa: PLC0415

    if section.access is Access.LISTED:
        return None
    return StrangerLimits(
        section.max_connections_a_stranger,
        section.max_connections_an_address,
        section.max_stranger_connections,
        section.max_arrivals_a_minute,
    )


def limits_of(section: HouseSection) -> Limits:
    """What the house takes on at once."""
    from auctionctl.house.limits import Limits  # noqa: PLC0415

    return Limits(**{each.name: getattr(section, each.name) for each in dataclasses.fields(Limits)})
