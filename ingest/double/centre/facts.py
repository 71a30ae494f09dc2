"""What happened in an organisation besides its tables: rare things that a right reader must cope with."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

# Personal data as it stands in payloads; nothing of it may ever be stored.
PLANTED = (
    "tel:+15550100199",
    "tel:+15550100142",
    "Planted Person",
    "planted.person@example.com",
    "planted-attribute-value",
    "planted agent mail",
    "planted note about a person",
    "planted-external-contact",
)
ANI, DNIS, PERSON, MAIL, ATTRIBUTE, AGENT_MAIL, NOTE, CONTACT = PLANTED


def platform_id(kind: str, name: str) -> str:
    """Id (a UUID) that the platform gives to something known by its name, the same for the same name.

    Examples
    --------
    >>> platform_id("skill", "billing") == platform_id("language", "billing")
    False
    """
    return str(uuid5(NAMESPACE_URL, f"{kind}:{name}"))


# A skill that was deleted from the organisation: interactions of the past still name its id.
DELETED_SKILL = platform_id("skill", "deleted")


@dataclass(frozen=True)
class Missed:
    """An agent who let an interaction ring before another answered."""

    conversation_id: str  # The conversation
    visit: int  # Its visit to a queue, from 1
    agent_id: str  # Who did not answer
    # Ringing. [ms since 1970]
    start_ms: int
    end_ms: int
    acw_ms: int  # After-call work that the platform shows nevertheless, 0 for none


@dataclass(frozen=True)
class Call:
    """A call that came through no queue."""

    conversation_id: str  # The conversation
    agent_id: str  # Who made it
    other_agent_id: str | None  # The colleague who was called; None where it went outside
    queue_id: str | None  # The queue on whose behalf it was made, if any
    # From dialling to the end of after-call work. [ms since 1970]
    start_ms: int
    end_ms: int
    # Dialling and after-call work
    dial_ms: int
    acw_ms: int


@dataclass(frozen=True)
class Unscored:
    """A survey without a usable score."""

    # What it belongs to
    survey_id: str
    conversation_id: str
    agent_id: str
    queue_id: str
    status: str  # As the platform writes it


@dataclass
class Facts:
    """Everything that tables cannot say; lists of what there is, empty where nothing is odd."""

    missed: list[Missed] = field(default_factory=list)  # Agents who let it ring
    calls: list[Call] = field(default_factory=list)  # Outbound and internal calls
    unscored: list[Unscored] = field(default_factory=list)  # Surveys that nobody finished, or without a score
    going_on: set[str] = field(default_factory=set)  # Conversations that are not over at the end of data
    # Conversations whose after-call work ended by itself: a word in place of a wrap-up code
    timed_out: set[str] = field(default_factory=set)
    # Conversations with a session of a media that routing does not know
    shared_screens: set[str] = field(default_factory=set)
    inactive_skills: list[tuple[str, str]] = field(default_factory=list)  # (agent, skill) that are switched off
    twice: set[tuple[str, str]] = field(default_factory=set)  # (queue, agent) listed as a user and by a group
    non_acd_ignored: set[str] = field(default_factory=set)  # Agents whose work through no queue does not count
    still_on: set[str] = field(default_factory=set)  # Agents who are still on queue at the end of data
    # Conversations, surveys, and (queue, agent) whose oddity the tables themselves show
    transferred: list[str] = field(default_factory=list)
    over_midnight: list[str] = field(default_factory=list)
    late_surveys: list[str] = field(default_factory=list)
    flowed_out: list[str] = field(default_factory=list)
    deleted_skill: list[str] = field(default_factory=list)
    left_queue: list[tuple[str, str]] = field(default_factory=list)
