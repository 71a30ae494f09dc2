"""What the platform says now about the chosen queues: settings, members, agents, names of skills and languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

import ingest.genesys.objects.queues as settings
from engine.data.tables import TABLES
from engine.typing import Progress
from ingest.genesys.objects import people
from ingest.genesys.objects.utilization import Utilization, fetch_utilization, parse_utilization
from ingest.platform.errors import AccessRefused, RequestRefused
from ingest.platform.pages import Reader

NO_UTILIZATION = (
    "The permission routing:utilization:view is missing, so every agent has the platform's defaults: 1 call, 4 chats, "
    "1 email, 1 message, 1 callback at once, only an email may be interrupted, and work that came through no queue "
    "does not count."
)
RESETS_ON_QUEUE = (
    "The organisation restarts agents' idle clocks when they come on queue (resetAgentScoreOnPresenceChange); replays "
    "follow it with --switch resets_on_queue=true."
)


@dataclass(frozen=True)
class Today:
    """The chosen queues as they are set up now."""

    organisation: str | None  # Id of the organisation; None where the platform does not tell
    # Tables of a snapshot
    queues: pl.DataFrame
    members: pl.DataFrame
    agents: pl.DataFrame
    # Names by id
    skills: dict[str, str]
    languages: dict[str, str]
    counts: dict[str, int] = field(default_factory=dict)  # What was left out or repaired, by reason
    notes: tuple[str, ...] = ()  # What must be known, in words
    # Agents and media of which work that came through no queue counts
    non_acd: frozenset[tuple[str, str]] = frozenset()

    @property
    def queue_ids(self) -> list[str]:
        """Ids of the chosen queues."""
        return self.queues["queue_id"].to_list()

    @property
    def agent_ids(self) -> list[str]:
        """Ids of all agents."""
        return self.agents["agent_id"].to_list()


def choose_queues(reader: Reader, wanted: Sequence[str]) -> list[dict[str, object]]:
    """The queues that the user names."""
    return settings.choose_queues(settings.fetch_queues(reader), wanted)


def read_today(reader: Reader, chosen: Sequence[dict[str, object]], progress: Progress) -> Today:
    """Read settings, members and agents of chosen queues."""
    skills = settings.names_of(settings.fetch_names(reader, "skills"))
    languages = settings.names_of(settings.fetch_names(reader, "languages"))
    queues, counts = settings.parse_queues(chosen, skills)
    members, total = [], dict(counts)
    for number, queue_id in enumerate(queues["queue_id"], 1):
        frame, counts = people.parse_members(queue_id, people.fetch_members(reader, queue_id))
        members.append(frame)
        _add(total, counts)
        progress("read members of queues", number, queues.height)
    empty = Today(
        _organisation(reader),
        queues,
        pl.concat(members),
        TABLES["agents"].empty(),
        skills,
        languages,
        total,
        _switches(reader),
    )
    return with_agents(reader, empty, empty.members["agent_id"].unique().sort().to_list(), progress)


def with_agents(reader: Reader, today: Today, agent_ids: Iterable[str], progress: Progress) -> Today:
    """Read agents that are not known yet; those whom the platform does not know any more have an id only."""
    wanted = sorted(set(agent_ids) - set(today.agents["agent_id"]))
    if not wanted:
        return today
    users = people.fetch_users(reader, wanted)
    said: Counter[str] = Counter()
    known, notes = _utilization(reader, wanted, said, progress)
    frame, counts = people.parse_agents(users, today.skills, today.languages, known)
    # Only those who were asked for, whatever comes.
    frame = frame.filter(pl.col("agent_id").is_in(wanted))
    strange = sorted(set(wanted) - set(frame["agent_id"]))
    if strange:
        frame = pl.concat([frame, pl.DataFrame({"agent_id": strange})], how="diagonal")
        counts = {**counts, "kept: agents whom the platform does not know any more; they have no skills": len(strange)}
    total = dict(today.counts)
    _add(total, counts)
    _add(total, said)
    non_acd = {(agent, media) for agent, each in known.items() for media, counted in each.non_acd.items() if counted}
    agents = pl.concat([today.agents, frame], how="diagonal")
    return replace(
        today, agents=agents.sort("agent_id"), counts=total, notes=tuple(dict.fromkeys((*today.notes, *notes))),
        non_acd=today.non_acd | non_acd,
    )  # fmt: skip


def _utilization(
    reader: Reader, agent_ids: Sequence[str], counts: Counter[str], progress: Progress
) -> tuple[dict[str, Utilization], tuple[str, ...]]:
    """What each agent can have in hand at once; an agent's own setting beats the organisation's."""
    found: dict[str, Utilization] = {}
    try:
        usual = parse_utilization(fetch_utilization(reader), counts)
        for number, agent_id in enumerate(agent_ids, 1):
            found[agent_id] = _own(reader, agent_id, counts).over(usual)
            progress("read capacity of agents", number, len(agent_ids))
    except AccessRefused as error:
        if error.status != 403:
            raise
        return {}, (NO_UTILIZATION,)
    return found, ()


def _own(reader: Reader, agent_id: str, counts: Counter[str]) -> Utilization:
    try:
        return parse_utilization(fetch_utilization(reader, agent_id), counts)
    except RequestRefused as error:
        # Someone who has left has no setting of their own.
        if error.status != 404:
            raise
        return Utilization()


def _switches(reader: Reader) -> tuple[str, ...]:
    """Settings of the organisation that a replay must be told."""
    found = reader.get("/api/v2/routing/settings")
    return (RESETS_ON_QUEUE,) if found.get("resetAgentScoreOnPresenceChange") is True else ()


def _organisation(reader: Reader) -> str | None:
    try:
        found = reader.get("/api/v2/organizations/me")
    except (AccessRefused, RequestRefused) as error:
        if error.status == 401:
            raise
        return None
    name = found.get("id") if isinstance(found, dict) else None
    return name if isinstance(name, str) else None


def _add(total: dict[str, int], counts: Mapping[str, int]) -> None:
    for label, number in counts.items():
        total[label] = total.get(label, 0) + number
