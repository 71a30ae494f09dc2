"""What the log says of a plan: breaks that it does not name, shifts that nobody worked, work outside of it."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from ingest.exports.shaping.naming import Notes
from ingest.exports.shaping.plan import SPELLS, without
from ingest.exports.shaping.rows import ROW

# A shift this long has a break; its longest pause is taken for it, if that is one, and not for longer than the most.
LONG_SHIFT, LEAST_BREAK, MOST_BREAK = timedelta(hours=6), timedelta(minutes=15), timedelta(minutes=30)
# Half of the longest pauses are so many times the second longest: of pauses that come by chance they are 1.2 times.
STANDING_OUT = 1.5
# Services further apart than this are two spells, where no plan says more. As the replay infers staffing.
JOIN_GAP = timedelta(seconds=900)
# A shift of this length in which an agent took nothing, and others of the plan so many, was not worked.
NOTICEABLE, MANY = timedelta(hours=2), 20
# What a rounded log may put outside of a shift.
SLACK = timedelta(minutes=15)

BREAKS = (
    "the shift plan names no breaks, so the longest pause of an agent between two contacts was taken for the break of "
    "a shift of over 6 hours: its middle 30 minutes at most, {n} breaks of {hours:.0f} hours in all"
)
NO_BREAKS = "the shift plan names no breaks, and the log shows none: no pauses stand out from those between contacts"
UNWORKED = (
    "{n} planned shifts, {hours:.0f} hours, were left out: the agent took nothing in them while colleagues took {many} "
    "contacts or more"
)
UNPLANNED = "{n} spells, {hours:.0f} hours, of agents who took contacts outside of the plan were added to it"


def fit_to_log(spells: pl.DataFrame, services: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """The plan as it was worked, as far as contacts tell.

    `spells` are those of a plan, `services` have `agent_id`, `start_at` and `end_at` by the same clock.
    """
    if not services.height or not spells.height:
        return spells
    spells = _without_unworked(spells, services, notes)
    spells = _without_breaks(spells, services, notes)
    return _with_unplanned(spells, services, notes)


def _without_unworked(spells: pl.DataFrame, services: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    spells = spells.with_row_index("_spell")
    own = _within(spells, services)["_spell"].unique()
    starts = services["start_at"].sort()
    n_others = starts.search_sorted(spells["end_at"]) - starts.search_sorted(spells["start_at"])
    length = pl.col("end_at") - pl.col("start_at")
    is_unworked = ~pl.col("_spell").is_in(own.implode()) & (length >= NOTICEABLE) & (pl.lit(n_others) >= MANY)
    known = pl.col("agent_id").is_in(services["agent_id"].unique().implode())
    left_out = spells.filter(is_unworked & known)
    _say(notes, UNWORKED, left_out, many=MANY)
    return spells.filter(~(is_unworked & known)).drop("_spell")


def _without_breaks(spells: pl.DataFrame, services: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    if has_breaks(spells):
        return spells
    long = spells.filter(pl.col("end_at") - pl.col("start_at") > LONG_SHIFT).with_row_index("_spell")
    pauses = _pauses(long, services).sort("_spell", "length", descending=[False, True])
    longest = pauses.group_by("_spell", maintain_order=True).first()
    if not _stand_out(pauses):
        if longest.height:
            notes.assumptions.append(NO_BREAKS)
        return spells
    length = pl.min_horizontal("length", pl.lit(MOST_BREAK))
    middle = pl.col("start_at") + (pl.col("length") - length) / 2
    breaks = longest.filter(pl.col("length") >= LEAST_BREAK).select("agent_id", start_at=middle, end_at=middle + length)
    _say(notes, BREAKS, breaks)
    return without(spells, breaks)


def _stand_out(pauses: pl.DataFrame) -> bool:
    """Whether the longest pauses of shifts are of another kind than those between contacts."""
    two = pauses.group_by("_spell", maintain_order=True).agg(
        first=pl.col("length").get(0), second=pl.col("length").get(1, null_on_oob=True)
    )
    ratio = two.select(pl.col("first").dt.total_seconds() / pl.col("second").dt.total_seconds()).to_series()
    median = ratio.fill_null(float("inf")).median()
    return median is not None and float(median) >= STANDING_OUT  # type: ignore[arg-type]


def has_breaks(spells: pl.DataFrame) -> bool:
    """Whether a plan leaves breaks out by itself: shifts in two spans with a short time between."""
    gap = pl.col("start_at").shift(-1).over("agent_id", order_by="start_at") - pl.col("end_at")
    n_gaps = spells.select(((gap > timedelta(0)) & (gap <= timedelta(minutes=90))).sum()).item()
    n_long = spells.filter(pl.col("end_at") - pl.col("start_at") > LONG_SHIFT).height
    return bool(n_gaps > n_long)


def _pauses(spells: pl.DataFrame, services: pl.DataFrame) -> pl.DataFrame:
    """Times between two contacts of an agent inside a spell."""
    inside = _within(spells, services).sort("_spell", "start_at")
    until = pl.col("end_at").cum_max().shift(1).over("_spell")
    between = inside.select("_spell", "agent_id", start_at=until, end_at="start_at").drop_nulls()
    return between.filter(pl.col("end_at") > pl.col("start_at")).with_columns(
        length=pl.col("end_at") - pl.col("start_at")
    )


def _within(spells: pl.DataFrame, services: pl.DataFrame) -> pl.DataFrame:
    """Services that begin in a spell of their agent, with that spell."""
    sides = spells.select("_spell", "agent_id", _start="start_at", _end="end_at").sort("_start")
    found = services.sort("start_at").join_asof(
        sides, left_on="start_at", right_on="_start", by="agent_id", strategy="backward", check_sortedness=False
    )
    return found.filter(pl.col("start_at") < pl.col("_end"))


def _with_unplanned(spells: pl.DataFrame, services: pl.DataFrame, notes: Notes) -> pl.DataFrame:
    """Spells besides, in which agents took contacts though the plan has them away."""
    near = spells.with_row_index("_spell").with_columns(
        start_at=pl.col("start_at") - SLACK, end_at=pl.col("end_at") + SLACK
    )
    numbered = services.with_row_index("_service")
    planned = _within(near, numbered)["_service"]
    outside = numbered.filter(~pl.col("_service").is_in(planned.implode()))
    added = joined(outside)
    _say(notes, UNPLANNED, added)
    return pl.concat([spells, added.with_columns(pl.lit(None, SPELLS[ROW]).alias(ROW))], how="diagonal_relaxed")


def joined(services: pl.DataFrame) -> pl.DataFrame:
    """Services of each agent as spells, joined across short gaps."""
    ordered = services.sort("agent_id", "start_at")
    gap = pl.col("start_at") - pl.col("end_at").cum_max().shift(1).over("agent_id")
    ordered = ordered.with_columns(_part=(gap > JOIN_GAP).fill_null(True).cum_sum().over("agent_id"))
    grouped = ordered.group_by("agent_id", "_part", maintain_order=True)
    return (
        grouped.agg(pl.col("start_at").min(), pl.col("end_at").max())
        .drop("_part")
        .filter(pl.col("end_at") > pl.col("start_at"))
    )


def _say(notes: Notes, sentence: str, spells: pl.DataFrame, **also: int) -> None:
    if spells.height:
        hours = spells.select((pl.col("end_at") - pl.col("start_at")).sum().dt.total_minutes()).item() / 60
        notes.assumptions.append(sentence.format(n=f"{spells.height:,}", hours=hours, **also))
