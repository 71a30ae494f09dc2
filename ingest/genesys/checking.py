"""Look before reading: permissions, limits, the days that hold data, and what a span would cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

import ingest.genesys.objects.queues as settings
from engine.errors import MissingInput
from ingest.genesys.collecting.reading import JOBS
from ingest.genesys.collecting.wanted import DAY, Span
from ingest.genesys.objects import people
from ingest.genesys.objects.aggregates import daily_offered
from ingest.genesys.objects.query_bodies import MOST_PREDICATES
from ingest.genesys.objects.staffing import MOST_USERS
from ingest.genesys.probes import MISSING, Permission, limits, permissions
from ingest.platform.errors import AccessRefused
from ingest.platform.jobs import PAGE_ROWS, availability
from ingest.platform.pages import Reader

PER_MEMBERS = 100
# Submitting, looking three times, and deleting a job.
JOB_REQUESTS = 5
FIXED_REQUESTS = 12
REQUESTS_PER_MINUTE = 300
# Waiting for one job, and days that are read at once.
JOB_WAIT_S, DAYS_AT_ONCE = 4.0, 4


@dataclass(frozen=True)
class Estimate:
    """What reading will take."""

    days: int  # UTC days
    conversations: int  # Of the chosen queues, by the platform's own count
    agents: int  # Members of the chosen queues
    requests: int  # All requests
    minutes: float  # At the organisation's limit of requests. [min]


def estimate(
    days: int, conversations: int, agents: int, queues: int, per_minute: float = REQUESTS_PER_MINUTE
) -> Estimate:
    """Estimate requests and minutes.

    Work of the agents elsewhere is taken to be as much again as the conversations of the queues. Waits for a
    platform that is down are not in it.

    Examples
    --------
    >>> estimate(days=90, conversations=200_000, agents=120, queues=3)
    Estimate(days=90, conversations=200000, agents=120, requests=1981, minutes=6.6)
    """
    pages = 2 * max(days, math.ceil(conversations / PAGE_ROWS))
    jobs = math.ceil(queues / MOST_PREDICATES) + math.ceil(agents / MOST_PREDICATES)
    by_day = jobs * JOB_REQUESTS + 2 * math.ceil(agents / MOST_USERS) + 2
    once = FIXED_REQUESTS + queues * math.ceil(agents / PER_MEMBERS) + math.ceil(agents / people.MOST_IDS) + agents
    requests = once + days * by_day + pages
    by_limit = requests / per_minute
    by_jobs = days * jobs * JOB_WAIT_S / DAYS_AT_ONCE / 60
    return Estimate(days, conversations, agents, requests, round(max(by_limit, by_jobs), 1))


# Conversations are kept for roughly 18 months, depending on the product (Genesys help centre).
MONTHS_BACK = 24
MONTH = timedelta(days=31)
# Queues whose members are told apart by reading them.
MOST_COUNTED = 25
# The limit that a client meets first, in the namespace platform.api.
RATE_KEYS = ("client.credentials.token.rate.per.minute", "token.rate.per.minute", "org.app.user.rate.per.minute")


@dataclass(frozen=True)
class Check:
    """What a client may read and what it would cost.

    Parameters
    ----------
    host : str
        Of the platform.
    queues : list of dict
        id and name of every queue that the client sees.
    chosen : list of dict
        Those asked about.
    data_from, data_to : date or None
        First and last UTC day with interactions of the chosen queues in the last 24 months; None where unknown.
    available : datetime
        Up to when jobs cover conversations; later days are read by the synchronous query.
    permissions : list of Permission
        One for each thing that is read.
    limits : dict
        The organisation's own, by namespace and key.
    estimate : Estimate
        For the span asked about, else for all days with data.
    span : tuple of date or None
        Days of the estimate.
    """

    host: str
    queues: list[dict[str, str]]
    chosen: list[dict[str, str]]
    data_from: date | None
    data_to: date | None
    available: datetime
    permissions: list[Permission]
    limits: dict[str, dict[str, float]]
    estimate: Estimate
    span: tuple[date, date] | None

    @property
    def missing(self) -> list[Permission]:
        """Permissions without which nothing can be read."""
        return [permission for permission in self.permissions if permission.is_needed and permission.state == MISSING]

    def record(self) -> dict[str, Any]:
        """For machines."""
        return {
            "host": self.host, "queues": self.queues, "chosen": self.chosen, "data_from": _iso(self.data_from),
            "data_to": _iso(self.data_to), "jobs_cover_until": self.available.isoformat(),
            "permissions": [asdict(permission) for permission in self.permissions], "limits": self.limits,
            "estimate": {"from": _iso(self.span and self.span[0]), "to": _iso(self.span and self.span[1]),
                         **asdict(self.estimate)},
        }  # fmt: skip


def check_platform(
    reader: Reader, host: str, wanted: Sequence[str] = (), first: date | None = None, last: date | None = None,
    time_zone: str = "UTC",
) -> Check:  # fmt: skip
    """Ask the platform what reading would find and cost.

    Parameters
    ----------
    reader : Reader
        The platform.
    host : str
        Its name, for the answer.
    wanted : sequence of str
        Names or ids of queues; by default all.
    first, last : date, optional
        Local days; by default all with data.
    time_zone : str
        IANA zone of the centre.

    Returns
    -------
    Check
        Nothing is stored.

    Raises
    ------
    MissingInput
        If the client sees no queue.
    PlatformError
        If the platform cannot be asked, or the credentials are refused.
    UnknownName
        If a queue is not there.
    """
    entities = settings.fetch_queues(reader)
    if not entities:
        raise MissingInput(
            f"{host}: this client sees no queue; give its role routing:queue:view in the divisions of the queues"
        )
    chosen = settings.choose_queues(entities, wanted) if wanted else entities
    ids = [str(entity["id"]) for entity in chosen]
    available = availability(reader, JOBS)
    granted = permissions(reader, ids[0], available)
    offered = _offered(reader, ids, available)
    data_from, data_to = _days(offered)
    span = (first or data_from, last or data_to)
    known = (span[0], span[1]) if span[0] and span[1] else None
    found = limits(reader)
    days = len(Span(*known, time_zone).utc_days()) if known else 0
    n_conversations = _within(offered, known)
    cost = estimate(days, n_conversations, _members(reader, chosen), len(ids), _rate(found))
    return Check(host, _named(entities), _named(chosen), data_from, data_to, available, granted, found, cost, known)


def _offered(reader: Reader, queue_ids: Sequence[str], available: datetime) -> pl.DataFrame:
    """Interactions by UTC day, a month at a time, back from the last day that there can be."""
    end = datetime(available.year, available.month, available.day, tzinfo=available.tzinfo) + 2 * DAY
    frames = [pl.DataFrame(schema={"day": pl.Date, "offered": pl.Int64})]
    for number in range(MONTHS_BACK):
        until = end - number * MONTH
        try:
            frames.append(daily_offered(reader, queue_ids, until - MONTH, until))
        except AccessRefused as error:
            if error.status == 401:
                raise
            break
    counted = pl.concat(frames).group_by("day").agg(pl.col("offered").sum())
    return counted.filter(pl.col("offered") > 0).sort("day")


def _days(offered: pl.DataFrame) -> tuple[date | None, date | None]:
    if offered.is_empty():
        return None, None
    return offered["day"][0], offered["day"][-1]


def _within(offered: pl.DataFrame, span: tuple[date, date] | None) -> int:
    if span is None:
        return 0
    return int(offered.filter(pl.col("day").is_between(*span))["offered"].sum())


def _members(reader: Reader, chosen: Sequence[dict[str, Any]]) -> int:
    """Distinct members; of many queues the sum of their sizes, which is a bound from above and costs no request."""
    if len(chosen) > MOST_COUNTED:
        return sum(int(entity.get("memberCount") or 0) for entity in chosen)
    queue_ids = [str(entity["id"]) for entity in chosen]
    frames = [people.parse_members(queue_id, people.fetch_members(reader, queue_id))[0] for queue_id in queue_ids]
    return pl.concat(frames)["agent_id"].n_unique()


def _rate(found: dict[str, dict[str, float]]) -> float:
    values = found.get("platform.api", {})
    return next((values[key] for key in RATE_KEYS if values.get(key, 0) > 0), REQUESTS_PER_MINUTE)


def _named(entities: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"id": str(entity["id"]), "name": str(entity.get("name") or entity["id"])} for entity in entities]


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
