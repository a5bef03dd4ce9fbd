"""Whether a cluster can keep the logs of a house: its servers, their versions, disks and clocks, and its streams.

Rule: nothing is written there, not even to see how long a write takes; and it ends within some seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auctionctl.cli.checks.findings import Finding, State, wrong
from auctionctl.errors import AuctionctlError
from auctionctl.store.cluster_access import NO_ACCESS, ClusterAccess
from auctionctl.store.cluster_address import ClusterAddress, Durability, parse_cluster_address
from auctionctl.store.cluster_monitor import Monitored, Unmonitored, ask_monitors, holders_of, sync_faults
from auctionctl.store.cluster_streams import MIN_VERSION, dotted, version_numbers
from auctionctl.store.jetstream import JetStream
from auctionctl.store.stream_settings import HOUSE, REPLICAS, Fault, Streams

PATIENCE_S: Final = 3.0
PINGS: Final = 5
MAX_OFF_NS: Final = 1_000_000_000
"""Servers' clocks stamp nothing of ours; one that is further off than this will trouble its operator all the same."""
MAX_STREAMS: Final = 64
_PREFIX: Final = "auction-"


def check_cluster(
    text: str, durability: Durability = Durability.REQUIRED, access: ClusterAccess = NO_ACCESS
) -> list[Finding]:
    """What can be said of the cluster at the address ``text``, and of each house's streams there."""
    try:
        address = parse_cluster_address(text, access)
        link = JetStream(address, PATIENCE_S)
    except AuctionctlError as error:
        return [wrong("cluster", error)]
    answers = ask_monitors(address.monitors)
    findings = [_check_server(each) for each in answers]
    if address.is_in_sight:
        message = f"{address.text}: whoever is on the way there reads and can change what is stored"
        findings.append(Finding(State.WARNING, "wire", message, "have the servers speak TLS, and write tls://"))
    try:
        findings += _check_connection(link, address)
        infos = _stream_infos(link)
        findings += [_check_count(address, answers, infos), *_check_versions(answers)]
        for name, info in infos.items():
            findings += _check_stream(name, info, answers, durability)
    except AuctionctlError as error:
        findings.append(wrong("cluster", error))
    finally:
        link.close()
    return findings


def _check_connection(link: JetStream, address: ClusterAddress) -> list[Finding]:
    version = link.server_version
    round_trip_ns = min(link.round_trip_ns() for _ in range(PINGS))
    if version_numbers(version) < MIN_VERSION:
        message = f"nats-server {version}: batches are atomic from {dotted(MIN_VERSION)} on"
        return [Finding(State.WRONG, "cluster", message, "upgrade its servers, one after the other")]
    return [Finding(State.OK, "cluster", f"{address.text}: nats-server {version}, {_ms(round_trip_ns)} there and back")]


def _check_server(answer: Monitored | Unmonitored) -> Finding:
    if isinstance(answer, Unmonitored):
        remedy = "let its monitoring port be reached (http: in its settings), and name it: ?monitor=8222"
        return Finding(State.WRONG, f"server at {answer.place}", f"it says nothing of itself: {answer.reason}", remedy)
    subject = f"server {answer.name}"
    # Of a clock that is asked over a wire no more is known than this.
    off_ns = max(0, abs(answer.clock_off_ns) - answer.round_trip_ns // 2)
    clock = f"clock {'the same' if not off_ns else ('ahead' if answer.clock_off_ns > 0 else 'behind')}"
    clock += f" by {_ms(off_ns)}" if off_ns else ""
    message = f"nats-server {answer.version}, {clock}, answers in {_ms(answer.round_trip_ns)}"
    if not answer.syncs_always:
        remedy = "set sync_interval: always in its jetstream block, and restart it"
        return Finding(State.WRONG, subject, f"{message}; it does not sync what it acknowledges", remedy)
    if off_ns > MAX_OFF_NS:
        return Finding(State.WARNING, subject, message, "set its clock, or this machine's: timedatectl")
    return Finding(State.OK, subject, f"{message}; it syncs what it acknowledges")


def _check_count(
    address: ClusterAddress, answers: list[Monitored | Unmonitored], infos: Mapping[str, dict[str, Any]]
) -> Finding:
    known = {each.name for each in answers if isinstance(each, Monitored)}
    known |= {name for info in infos.values() for name in holders_of(info).names}
    if len(known) >= REPLICAS:
        return Finding(State.OK, "servers", f"{len(known)} are known: {', '.join(sorted(known))}")
    message = f"{len(known)} known of the {REPLICAS} that it takes to keep what one of them loses"
    return Finding(State.WRONG, "servers", message, f"run {REPLICAS}, and name each: {address.text}")


def _check_versions(answers: list[Monitored | Unmonitored]) -> list[Finding]:
    versions = sorted({each.version for each in answers if isinstance(each, Monitored)})
    if len(versions) < 2:
        return []
    message = f"they run different versions: {', '.join(versions)}"
    return [Finding(State.WARNING, "servers", message, "upgrade them to the same, one after the other")]


def _stream_infos(link: JetStream) -> dict[str, dict[str, Any]]:
    """What there is of each stream that may be a house's, by name."""
    names = link.request("STREAM.NAMES").get("streams") or []
    asked = [name for name in sorted(names) if name.startswith(_PREFIX)][:MAX_STREAMS]
    answers = link.request_all({f"STREAM.INFO.{name}": None for name in asked})
    return {name: info for name, info in zip(asked, answers.values(), strict=True) if "error" not in info}


def _check_stream(
    name: str, info: dict[str, Any], answers: list[Monitored | Unmonitored], durability: Durability
) -> list[Finding]:
    subject = f"stream {name}"
    owner = str((info["config"].get("metadata") or {}).get(HOUSE, ""))
    if not owner:
        return [Finding(State.WARNING, subject, "of no house", "another program has it: nothing to do here")]
    streams = Streams(owner)
    if name not in (streams.logs, streams.signs):
        # What it ought to be set up as is another one's to know: to mend it as that house's could delete what it holds.
        message = f"it says that it is of house {owner[:16]}…, whose streams are {streams.logs} and {streams.signs}"
        remedy = "leave it as it is; a house whose stream should have that name needs another cluster or account"
        return [Finding(State.WARNING, subject, message, remedy)]
    faults = streams.faults(name, info["config"])
    # Servers of which nothing is known, or which do not sync, have been told of already.
    unknown = [fault for fault in sync_faults(holders_of(info), answers) if fault.reason.startswith("nobody")]
    named = {each.place for each in answers if isinstance(each, Unmonitored)}
    faults += [] if named else unknown
    findings = [_finding_of(subject, fault, durability) for fault in faults]
    for replica in (info.get("cluster") or {}).get("replicas") or ():
        if replica.get("offline") or not replica.get("current"):
            how = "is not there" if replica.get("offline") else f"is {replica.get('lag', 0)} messages behind"
            remedy = "see that it runs: one more that fails, and nothing is acknowledged"
            findings.append(Finding(State.WARNING, subject, f"its replica on {replica['name']} {how}", remedy))
    if not findings:
        state, copies = info["state"], info["config"]["num_replicas"]
        message = f"{state['messages']} messages, {state['bytes']} bytes, {copies} replicas, of house {owner[:16]}…"
        findings.append(Finding(State.OK, subject, message))
    return findings


def _finding_of(subject: str, fault: Fault, durability: Durability) -> Finding:
    is_allowed = fault.is_loss and durability is Durability.LOSSY
    return Finding(State.WARNING if is_allowed else State.WRONG, subject, fault.reason, fault.remedy)


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1_000_000:.1f} ms"
