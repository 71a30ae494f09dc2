"""How many requests and minutes reading will take, before it begins."""

from __future__ import annotations

import math
from dataclasses import dataclass

# As in `ingest.genesys.reading` and below it.
PER_PAGE, PER_JOB, PER_STATUS, PER_USERS, PER_MEMBERS = 1000, 500, 100, 50, 100
# Submitting, looking three times, and deleting a job.
JOB_REQUESTS = 5
FIXED_REQUESTS = 12
REQUESTS_PER_MINUTE = 300
# Waiting for one job, and days that are read at once.
JOB_WAIT_S, DAYS_AT_ONCE = 4.0, 4


@dataclass(frozen=True)
class Estimate:
    """What reading will take.

    Parameters
    ----------
    days : int
        UTC days.
    conversations : int
        Of the chosen queues, by the platform's own count.
    agents : int
        Members of the chosen queues.
    requests : int
        All requests.
    minutes : float
        At the organisation's limit of requests. [min]
    """

    days: int
    conversations: int
    agents: int
    requests: int
    minutes: float


def estimate(
    days: int, conversations: int, agents: int, queues: int, per_minute: float = REQUESTS_PER_MINUTE
) -> Estimate:
    """Estimate requests and minutes.

    Work of the agents elsewhere is taken to be as much again as the conversations of the queues.

    Parameters
    ----------
    days : int
        UTC days.
    conversations : int
        Of the chosen queues.
    agents : int
        Members of the chosen queues.
    queues : int
        Chosen queues.
    per_minute : float
        Requests that the platform allows. [1/min]

    Returns
    -------
    Estimate
        Without waits for a platform that is down.

    Examples
    --------
    >>> estimate(days=90, conversations=200_000, agents=120, queues=3)
    Estimate(days=90, conversations=200000, agents=120, requests=1981, minutes=6.6)
    """
    pages = 2 * max(days, math.ceil(conversations / PER_PAGE))
    jobs = math.ceil(queues / PER_JOB) + math.ceil(agents / PER_JOB)
    by_day = jobs * JOB_REQUESTS + 2 * math.ceil(agents / PER_STATUS) + 2
    once = FIXED_REQUESTS + queues * math.ceil(agents / PER_MEMBERS) + math.ceil(agents / PER_USERS) + agents
    requests = once + days * by_day + pages
    by_limit = requests / per_minute
    by_jobs = days * jobs * JOB_WAIT_S / DAYS_AT_ONCE / 60
    return Estimate(days, conversations, agents, requests, round(max(by_limit, by_jobs), 1))
