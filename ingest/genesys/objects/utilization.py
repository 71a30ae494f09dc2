"""Utilisation: how much is given to one agent at once, what may interrupt it, and what counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.data.checks import MOST_AT_ONCE
from engine.data.tables import MEDIA
from engine.typing import Record
from ingest.genesys.objects.values import number, record, text
from ingest.platform.pages import Reader

# What the platform's settings call a call is a voice interaction in its analytics.
_MEDIA = {"call": "voice"}


@dataclass(frozen=True)
class Utilization:
    """Settings of one agent or of the organisation, by media in the words of analytics."""

    capacity: Mapping[str, int] = field(default_factory=dict)  # Interactions at once
    interrupted_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # Media that may interrupt one in hand
    non_acd: Mapping[str, bool] = field(default_factory=dict)  # Whether work that came through no queue counts

    def over(self, usual: Utilization) -> Utilization:
        """These settings, and another's where these say nothing."""
        return Utilization(
            {**usual.capacity, **self.capacity},
            {**usual.interrupted_by, **self.interrupted_by},
            {**usual.non_acd, **self.non_acd},
        )


def fetch_utilization(reader: Reader, user_id: str | None = None) -> Record:
    """Settings of one agent, or of the organisation."""
    if user_id is None:
        return record(reader.get("/api/v2/routing/utilization"))
    return record(reader.get("/api/v2/routing/users/{userId}/utilization", userId=user_id))


def parse_utilization(answer: Any, counts: Counter[str] | None = None) -> Utilization:
    """Settings in the words of analytics (call is voice); counts say what was left to the default, and why.

    Examples
    --------
    >>> email = {"maximumCapacity": 2, "interruptableMediaTypes": ["call", "chat"], "includeNonAcd": False}
    >>> parse_utilization({"utilization": {"email": email}})
    Utilization(capacity={'email': 2}, interrupted_by={'email': ('voice', 'chat')}, non_acd={'email': False})
    """
    counts = Counter() if counts is None else counts
    capacity, interrupted_by, non_acd = {}, {}, {}
    for name, given in record(record(answer).get("utilization")).items():
        media, setting = _MEDIA.get(name, name), record(given)
        if media not in MEDIA:
            counts["left out: utilisation of media that no table knows"] += 1
            continue
        most, by, counted = (
            setting.get(key) for key in ("maximumCapacity", "interruptableMediaTypes", "includeNonAcd")
        )
        count = number(most, 0, MOST_AT_ONCE)
        if count is not None and count.is_integer():
            capacity[media] = int(count)
        elif most is not None:
            counts[f"left to default: capacity of an agent that is no whole number up to {MOST_AT_ONCE}"] += 1
        if isinstance(by, list):
            named = {_MEDIA.get(each, each) for each in map(text, by) if each}
            interrupted_by[media] = tuple(each for each in MEDIA if each in named)
        elif by is not None:
            counts["left to default: media that may interrupt another, given as no list"] += 1
        if isinstance(counted, bool):
            non_acd[media] = counted
    return Utilization(capacity, interrupted_by, non_acd)
