"""Users, members, queues and dictionaries as the platform writes them."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import polars as pl

from engine.data.tables import CAPACITY, MEDIA
from ingest.double.centre.facts import AGENT_MAIL, NOTE, platform_id
from ingest.double.centre.organisation import Organisation
from ingest.double.centre.stamps import text
from ingest.double.payloads.live import Now, states_now

Json = dict[str, Any]

HOME = {"id": platform_id("division", "Home"), "name": "Home"}
# Names of presences as the definitions spell them.
PRESENCES = ("OnQueue", "Available", "Away", "Break", "Busy", "Idle", "Meal", "Meeting", "Offline", "Training")
# The platform's users call a presence as people do; definitions and analytics have spellings of their own.
SPOKEN = {"OnQueue": "On Queue"}
CALL = {"voice": "call"}


def presence_id(name: str) -> str:
    """Id of a presence's definition, whatever the spelling.

    Examples
    --------
    >>> presence_id("ON_QUEUE") == presence_id("On Queue")
    True
    """
    return platform_id("presence", name.upper().replace(" ", "").replace("_", ""))


class People:
    """Who and what there is in an organisation."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        tables, self._facts = organisation.tables, organisation.facts
        self._inactive: dict[str, list[str]] = {}
        for agent, skill in organisation.facts.inactive_skills:
            self._inactive.setdefault(agent, []).append(skill)
        self._rows = {str(row["agent_id"]): row for row in tables.agents.sort("agent_id").iter_rows(named=True)}
        self.user_ids = list(self._rows)
        self.queue_rows = {str(row["queue_id"]): row for row in tables.queues.sort("queue_id").iter_rows(named=True)}

    @cached_property
    def now(self) -> dict[str, Now]:
        """What every agent does just now."""
        return states_now(self._organisation)

    def user(self, agent: str, expand: frozenset[str]) -> Json:
        """A user with what is asked for besides."""
        row = self._rows[agent]
        group = row["group"]
        division = HOME if group is None else {"id": platform_id("division", group), "name": group}
        found: Json = {
            "id": agent, "name": row["agent_name"], "division": division, "email": AGENT_MAIL, "state": "active",
            "username": AGENT_MAIL, "version": 3, "acdAutoAnswer": False, "selfUri": f"/api/v2/users/{agent}",
        }  # fmt: skip
        if "skills" in expand:
            found["skills"] = self._skills(agent)
        if "languages" in expand:
            found["languages"] = self._rated(row["languages"], "language")
        if "presence" in expand:
            found["presence"] = self._presence(agent)
        if "routingStatus" in expand:
            found["routingStatus"] = self.routing_status(agent)
        return found

    def routing_status(self, agent: str) -> Json:
        """Routing status of a user just now."""
        now = self.now[agent]
        return {"userId": agent, "status": now.status, "startTime": text(now.since_ms)}

    def _presence(self, agent: str) -> Json:
        now = self.now[agent]
        definition = {"id": presence_id(now.presence), "systemPresence": now.presence}
        return {
            "source": "PURECLOUD", "primary": True, "presenceDefinition": definition, "message": NOTE,
            "modifiedDate": text(now.since_ms),
        }  # fmt: skip

    def _skills(self, agent: str) -> list[Json]:
        active = self._rated(self._rows[agent]["skills"], "skill")
        off = [{"name": name, "proficiency": 5.0} for name in self._inactive.get(agent, [])]
        return active + self._rated(off, "skill", "inactive")

    @staticmethod
    def _rated(held: list[Json] | None, kind: str, state: str = "active") -> list[Json]:
        return [
            {
                "id": platform_id(kind, one["name"]),
                "name": one["name"],
                "proficiency": one["proficiency"],
                "state": state,
            }
            for one in held or []
        ]

    @cached_property
    def members(self) -> dict[str, list[tuple[str, int, bool, str]]]:
        """Members of every queue as listed: agent, ring, joined, and by what; some are listed twice."""
        found: dict[str, list[tuple[str, int, bool, str]]] = {queue: [] for queue in self.queue_rows}
        for queue, agent, ring, joined in self._organisation.tables.members.sort("queue_id", "agent_id").iter_rows():
            found[queue].append((agent, ring, joined, "user"))
            if (queue, agent) in self._organisation.facts.twice:
                found[queue].append((agent, ring, joined, "group"))
        return found

    def member(self, entry: tuple[str, int, bool, str], expand: frozenset[str]) -> Json:
        """A member of a queue with what is asked for besides."""
        agent, ring, joined, by = entry
        user = self.user(agent, expand)
        found = {"id": agent, "name": user["name"], "user": user, "ringNumber": ring, "joined": joined, "memberBy": by}
        if "routingStatus" in expand:
            found["routingStatus"] = user.pop("routingStatus")
        return found

    def queue(self, queue: str) -> Json:
        """A queue."""
        row = self.queue_rows[queue]
        settings: Json = {
            "serviceLevel": {
                "percentage": row["service_level_share"],
                "durationMs": round(1000 * row["service_level_s"]),
            }
        }
        if row["alerting_timeout_s"] is not None:
            settings["alertingTimeoutSeconds"] = row["alerting_timeout_s"]
        found: Json = {
            "id": queue, "name": row["queue_name"], "division": HOME,
            "memberCount": len({entry[0] for entry in self.members[queue]}),
            "mediaSettings": {CALL.get(media, media): settings for media in MEDIA},
            "skillEvaluationMethod": row["evaluation_method"], "scoringMethod": row["scoring_method"],
            "acwSettings": {"wrapupPrompt": "MANDATORY_TIMEOUT", "timeoutMs": 300_000},
            "selfUri": f"/api/v2/routing/queues/{queue}",
        }  # fmt: skip
        parts = {"bullseye": ("rings", "rings"), "conditionalGroupRouting": ("conditional_groups", "rules")}
        for name, (column, inner) in parts.items():
            if row[column] is not None:
                given = json.loads(row[column])
                found[name] = given if isinstance(given, dict) else {inner: given}
        if row["routing_rules"] is not None:
            found["routingRules"] = json.loads(row["routing_rules"])
        return found

    def utilization(self, agent: str | None) -> Json:
        """What can be in hand at once and what counts, of an agent or (None) of the organisation."""
        row = {"capacity": None, "interrupted_by": None} if agent is None else self._rows[agent]
        counts = dict(zip(MEDIA, CAPACITY, strict=True)) | {one["media"]: one["count"] for one in row["capacity"] or ()}
        rules: dict[str, Any] = {"email": [media for media in MEDIA if media != "email"]}
        rules |= {one["media"]: one["by"] for one in row["interrupted_by"] or ()}
        # Conversations through no queue count in this organisation, but for those who have it otherwise.
        is_counted = agent not in self._facts.non_acd_ignored
        utilization = {
            CALL.get(media, media): {
                "maximumCapacity": counts[media],
                "interruptableMediaTypes": [CALL.get(each, each) for each in rules.get(media, ())],
                "includeNonAcd": is_counted,
            }
            for media in MEDIA
        }
        is_own = row["capacity"] is not None or row["interrupted_by"] is not None or not is_counted
        level = {} if agent is None else {"level": "Agent" if is_own else "Organization"}
        return {"utilization": utilization, "labelUtilizations": {}, **level}


def definitions() -> list[Json]:
    """All presences that users can have."""
    return [
        {"id": presence_id(name), "type": "System", "systemPresence": name, "deactivated": False,
         "languageLabels": {"en_US": SPOKEN.get(name, name)}, "divisionId": HOME["id"]}
        for name in PRESENCES
    ]  # fmt: skip


def dictionary(names: dict[str, str]) -> list[Json]:
    """Skills or languages as entities."""
    return [{"id": key, "name": name, "state": "active", "version": "1"} for key, name in names.items()]


def waiting_now(organisation: Organisation) -> pl.DataFrame:
    """Visits that still wait: queue_id and media."""
    return organisation.visits.filter((pl.col("outcome") == "unknown") & ~pl.col("over")).select("queue_id", "media")
