"""Settings of a house that concern a cluster: whether one has its logs, what it has to be known to keep, and which of
several instances of the house this is.

Rule: what may be lost is said by the operator, and by nobody else; and what several instances cannot keep between them
is refused before anything starts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auctionctl.cli.settings.setting import Kind, Setting
from auctionctl.errors import ConfigurationError
from auctionctl.keys.access import Access
from auctionctl.store.cluster_access import NO_ACCESS, ClusterAccess, read_credentials
from auctionctl.store.cluster_address import MAX_CHARACTERS, Durability, has_login, is_loopback, parse_cluster_address
from auctionctl.store.cluster_tls import tls_context
from auctionctl.wire.address import ENDPOINT_OR_NOTHING

if TYPE_CHECKING:
    from auctionctl.cli.settings.house_file import HouseSection
    from auctionctl.cli.settings.toml_table import TomlTable

ALONE: Final = "main"
"""What a house that has one instance calls it."""
_EVERYWHERE: Final = frozenset({"0.0.0.0", "[::]"})  # noqa: S104 - what is refused, not what is bound

CLUSTER_SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "store",
        Kind.STORE,
        None,
        "The NATS servers that keep the logs, with ?monitor=PORT where their monitoring port is not 8222.",
        default_words="a file in the state directory",
        needs_restart=True,
    ),
    Setting(
        "durability",
        Kind.WORD,
        "required",
        "What those servers have to be known to keep: all that they acknowledged, on three disks; or nothing in"
        " particular, for trying things out.",
        needs_restart=True,
        words=Durability,
    ),
    Setting(
        "instance",
        Kind.NAME,
        None,
        "The name of this one of several instances of the house, each with the same key and store and with a name and"
        " a state directory of its own: they share its auctions out among themselves, and take over from one another.",
        default_words="the house has one instance",
        needs_restart=True,
    ),
    Setting(
        "advertise",
        Kind.ENDPOINT,
        None,
        "Where clients reach this instance, for the others to send them to it.",
        default_words="bind and port",
        needs_restart=True,
    ),
    Setting(
        "store_credentials",
        Kind.FILE,
        None,
        "Who we are to the servers of store: a .creds file, the seed of a user's key, or lines with a user and a"
        " password, or a token. It is for its owner alone to read; a relative path begins where this file is.",
        default_words="what stands in store before the @, if anything",
        needs_restart=True,
    ),
    Setting(
        "store_ca",
        Kind.FILE,
        None,
        "The certificates of those who may vouch for the servers of store, where that begins with tls://, in PEM.",
        default_words="those of the system",
        needs_restart=True,
    ),
    Setting(
        "store_cert",
        Kind.FILE,
        None,
        "The certificate, in PEM, that servers are shown which ask for one.",
        default_words="none is shown",
        needs_restart=True,
    ),
    Setting(
        "store_key",
        Kind.FILE,
        None,
        "The private key of store_cert, in PEM and under no passphrase, for its owner alone to read.",
        default_words="there is no store_cert either",
        needs_restart=True,
    ),
)


def is_endpoint(text: str) -> bool:
    """Whether ``text`` is a host and a port, as clients are sent to."""
    return bool(text) and re.fullmatch(ENDPOINT_OR_NOTHING, text) is not None


def read_store(table: TomlTable, name: str) -> str:
    """The address of a cluster in ``table``, checked; a login in it is for the owner of the file alone."""
    text = table.text(name, "", MAX_CHARACTERS)
    try:
        parse_cluster_address(text)
    except ConfigurationError as error:
        table.fail(name, str(error), error.hint)
    if has_login(text) and (mode := table.opened_to_others()):
        table.fail(
            name,
            f"there is a login in it, and others have access to the file (mode {mode:04o})",
            "let its owner alone read it: chmod 600; or put the login into another file, as store_credentials",
        )
    return text


def access_of(section: HouseSection) -> ClusterAccess:
    """The files by which a house gets into its cluster."""
    return ClusterAccess(section.store_credentials, section.store_ca, section.store_cert, section.store_key)


def check_access(section: HouseSection) -> None:
    """Raises AuctionctlError for what is wrong with those files, before anything is started."""
    access = access_of(section)
    if section.store is None:
        if access != NO_ACCESS:
            raise ConfigurationError(
                "there are files for a cluster, and the logs are in the state directory",
                hint="say where the cluster is: --store nats://A,B,C",
            )
        return
    address = parse_cluster_address(section.store, access)
    tls_context(address)
    if access.credentials is not None:
        read_credentials(Path(access.credentials))


def wire_words(store: str | None) -> str:
    """What is to be said of the wire to the cluster at the address ``store``; empty where nobody else is on it."""
    if store is None or not parse_cluster_address(store).is_in_sight:
        return ""
    return (
        "the way to the cluster is not under TLS: whoever is on it reads what is stored and can change it, so that bids"
        " which were acknowledged are lost; write tls:// in place of nats://, see auctionctl-cluster(7)"
    )


def reach_words(section: HouseSection) -> str:
    """What is to be said where clients are sent to a place at which nobody listens, as far as this machine can see."""
    if section.advertise is None or not is_loopback(_bare(section.bind)):
        return ""
    if is_loopback(_bare(section.advertise.rpartition(":")[0])):
        return ""
    return (
        f"clients are sent to {section.advertise}, and this instance listens on {section.bind} alone, where other"
        " machines do not reach it, unless something here passes on what comes to it: --bind 0.0.0.0"
    )


def _bare(host: str) -> str:
    return host.removeprefix("[").removesuffix("]")


def check_instance(section: HouseSection) -> None:
    """Raises ConfigurationError for what one of several instances cannot be, or what nobody else can."""
    if section.instance is None:
        if section.advertise is not None:
            raise ConfigurationError(
                "advertise is for one of several instances of a house", hint="say which one: --instance NAME"
            )
        return
    if section.store is None:
        raise ConfigurationError(
            "several instances of a house have their logs in a cluster, which all of them reach",
            hint="say where: --store nats://A,B,C; see auctionctl-cluster(7)",
        )
    if section.instance == ALONE:
        raise ConfigurationError(
            f"{ALONE} is what a house that has one instance calls it",
            hint="give this one another name: --instance NAME",
        )
    if section.access is Access.OPEN:
        raise ConfigurationError(
            "a house of several instances lets in no strangers: they are entered in its registry as they join, and"
            " whoever writes the log that they join need not be the one that writes that",
            hint='serve it without --open (access = "listed"), or as one instance, without --instance',
        )
    if section.retention_ns:
        raise ConfigurationError(
            "a house of several instances archives nothing: what one of them had moved to its machine the others could"
            " serve no more, and the cluster gives no room back for it",
            hint='leave out retention, or set it to "forever"',
        )
    if section.advertise is None and section.bind in _EVERYWHERE:
        raise ConfigurationError(
            f"bind is {section.bind}, and the other instances have to know where clients reach this one",
            hint="say where: --advertise HOST:PORT",
        )
