"""What a look at Genesys Cloud found, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.terminal.shown.page import Grid, Page, grid

if TYPE_CHECKING:
    from ingest.genesys import Check
    from ingest.platform.client import Counts

SHOWN_QUEUES = 20


def show_check(found: Check) -> None:
    """Print permissions, limits, queues, days and the estimate."""
    out = Page()
    out.print(f"{found.host}: {len(found.queues)} queues")
    out.print(_permissions(found))
    for namespace, values in found.limits.items():
        listed = ", ".join(f"{key} {value:,.0f}" for key, value in sorted(values.items()))
        out.print(f"limits {namespace}: {listed or 'not told'}")
    out.print(_queues(found))
    if found.data_from is None:
        out.print("days with interactions: none in the last 24 months, or they may not be counted")
    else:
        out.print(f"days with interactions: {found.data_from} to {found.data_to} (UTC)")
    out.print(f"jobs cover conversations until {found.available:%Y-%m-%d %H:%M} UTC; later days are read by query")
    cost = found.estimate
    if found.span is not None:
        out.print(
            f"estimate for {found.span[0]} to {found.span[1]}: {_interactions(found)} of "
            f"{len(found.chosen)} queues, {cost.agents} agents: "
            f"about {cost.requests} requests, {cost.minutes:g} minutes"
        )


def told(counts: Counts) -> str:
    """One line about the requests of a run."""
    said = [f"requests: {counts.requests}"]
    if counts.retries:
        said.append(f"repeated: {counts.retries}")
    if counts.limited_s >= 1:
        said.append(f"waited for the rate limit: {counts.limited_s:.0f} s over all threads")
    if counts.token_renewals:
        said.append(f"tokens renewed: {counts.token_renewals}")
    if counts.lost_submits:
        said.append(f"job submits without an answer: {counts.lost_submits} (each may have left a job behind)")
    return ", ".join(said)


def _permissions(found: Check) -> Grid:
    rows = []
    for one in found.permissions:
        state = one.state if one.state == "granted" or one.is_needed else f"{one.state}, optional"
        rows.append([one.name, state, one.needed_for + (f" ({one.remark})" if one.remark else "")])
    return grid("", [("permission", "left"), ("state", "left"), ("needed for", "left")], rows, framed=False)


def _queues(found: Check) -> Grid:
    rows = [[queue["name"], queue["id"]] for queue in found.chosen[:SHOWN_QUEUES]]
    if len(found.chosen) > SHOWN_QUEUES:
        rows.append([f"and {len(found.chosen) - SHOWN_QUEUES} more", ""])
    return grid("", [("queue", "left"), ("id", "left")], rows, framed=False)


def _interactions(found: Check) -> str:
    return (
        "an unknown number of interactions"
        if found.data_from is None
        else f"{found.estimate.conversations:,} interactions"
    )
