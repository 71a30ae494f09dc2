"""How long and how much a client may keep the service waiting."""

from __future__ import annotations

from dataclasses import dataclass

# A few honest clients keep one or two connections each; thousands more only make every round of the loop longer.
MOST_CONNECTIONS = 1024
# Kept free for snapshots, results and the program itself. [count]
RESERVED_DESCRIPTORS = 32
MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Deadlines and limits of all connections together."""

    connections: int = MOST_CONNECTIONS
    # From the first byte of a request, or from connecting, to the end of its head. [s]
    head_s: float = 10.0
    # Between two requests of one connection. [s]
    idle_s: float = 10.0
    # Bodies and answers have so long for their first bytes, then must keep the pace.
    slow_s: float = 10.0
    least_bytes_s: int = 64 * 1024
    # Between the last byte of an answer and the end of a body that nobody read. [s]
    linger_s: float = 2.0
    # Of all requests and answers on their way, beyond the first `free_bytes` of each.
    bodies_bytes: int = 256 * MIB
    answers_bytes: int = 256 * MIB
    free_bytes: int = 64 * 1024
    # From the signal to the end: for answers under way, then for what they run on. [s]
    grace_s: float = 3.0
    end_s: float = 1.0

    @property
    def sweep_s(self) -> float:
        """How often deadlines are looked at."""
        return min(0.5, self.head_s / 4, self.idle_s / 4, self.slow_s / 4, self.linger_s / 4)

    def too_slow(self, n_bytes: int, elapsed_s: float) -> bool:
        """Whether so many bytes took too long."""
        return elapsed_s > self.slow_s + n_bytes / self.least_bytes_s


def connections_of(n_descriptors: int) -> int:
    """Connections that leave enough descriptors for everything else.

    Examples
    --------
    >>> connections_of(64), connections_of(1024), connections_of(1_000_000)
    (32, 768, 1024)
    """
    return max(4, min(MOST_CONNECTIONS, n_descriptors - max(RESERVED_DESCRIPTORS, n_descriptors // 4)))


def descriptors() -> int:
    """How many descriptors this process may have, raised as far as the system lets anybody."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return 1 << 20
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MOST_CONNECTIONS
    most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):  # Some systems state a hard limit that they do not grant.
            return soft
        return most
    return wanted if soft == resource.RLIM_INFINITY else soft
