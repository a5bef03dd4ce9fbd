"""What a process of a house takes of the machine at most: descriptors, and for the one that strangers reach, memory.

Rule: a limit that bounds harm is set by the process itself, before it is reached by anybody; the limits above it, which
the system or its administrator set, hold on.
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Final

WANTED_DESCRIPTORS: Final = 8_192
DESCRIPTORS_A_CONNECTION: Final = 4
"""One that is in, and room for those that knock."""
GATEWAY_BYTES: Final = 256 << 20
"""What a gateway may have in memory, with as many connections as a house has unless told otherwise."""
CONNECTIONS: Final = 256
CONNECTION_BYTES: Final = 256 << 10
"""For each connection more than that."""
_SIZES: Final = Path("/proc/self/statm")


def limit_gateway(connections: int) -> None:
    """The limits of a gateway that is to hold so many connections, once everything that it needs is loaded."""
    raise_descriptor_limit(connections)
    limit_memory(connections)


def raise_descriptor_limit(connections: int = 0) -> None:
    """Have as many descriptors as so many connections need, or as many as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(WANTED_DESCRIPTORS, DESCRIPTORS_A_CONNECTION * connections)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def limit_memory(connections: int) -> None:
    """Have no more memory than a gateway of so many connections may; where a system does not say how much that is, any.

    What is mapped by now and not used is let be: libraries and stacks, of which there will be no more. Whoever asks for
    more than is left ends, as libzmq does, or gets a MemoryError.
    """
    try:
        mapped, resident = (int(word) for word in _SIZES.read_text().split()[:2])
    except (OSError, ValueError):
        return
    unused_bytes = (mapped - resident) * resource.getpagesize()
    most_bytes = unused_bytes + GATEWAY_BYTES + max(0, connections - CONNECTIONS) * CONNECTION_BYTES
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most_bytes = min(most_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, hard))
