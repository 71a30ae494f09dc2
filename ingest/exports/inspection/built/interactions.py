"""How the rows of an export become interactions: where arrival, wait, handling and outcome come from."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from ingest.exports.inspection.built.draft import Draft, share
from ingest.exports.inspection.known.vocabulary import meant
from ingest.exports.inspection.seen.facts import Facts
from ingest.exports.inspection.seen.recognising import Recognised
from ingest.exports.profile.columns import ARRIVAL
from ingest.exports.profile.profile import Between, Copied, Filled, Joined, Same, Shifted, Summed

_MOSTLY = 0.9
_MOST_OUTCOMES = 12
# Of rows with the same conversation, more than this in the same queue are parts of one visit.
_SAME_QUEUE = 0.5
# Names that say no more than this may be wrong.
_OF_A_PRODUCT = 0.9
# So sure one must be of an agent: each call has another number, too.
_SURE = 0.4
_SURE_OF_A_QUEUE = 0.6
# Of the rows, more than this are each another conversation.
_MANY = 0.3


def build(draft: Draft, found: Recognised) -> None:
    """All that a file of interactions says, or what can be made of it."""
    found = _times_told_by_order(draft, found)
    _direct(draft, found)
    _arrival(draft, found)
    _ids(draft, found)
    _wait(draft, found)
    _handling(draft, found)
    _who(draft, found)
    _outcome(draft, found)
    _direction(draft, found)


def _times_told_by_order(draft: Draft, found: Recognised) -> Recognised:
    """Columns of times that no name tells: what only some rows have is the answer, what is never before it the end."""
    roles = dict(found.roles)
    used = {name for names in roles.values() for name in names}
    arrived = found.column("arrived")
    if arrived is None or draft.seen[arrived].kind.name != "time":
        return found
    free = [facts.name for facts in draft.seen.columns if facts.name not in used and facts.kind.name == "time"]
    for name in free:
        # A name that is not sure gives way to the time that is never later.
        is_earlier = (
            share(draft.times(name) <= draft.times(arrived)) >= _MOSTLY
            and share(draft.times(name) < draft.times(arrived)) > 0
        )
        if is_earlier and found.guesses[arrived].score < _OF_A_PRODUCT:
            used = (used | {name}) - {arrived}
            arrived, roles["arrived"] = name, (name,)
    for facts in draft.seen.columns:
        if facts.name in used or facts.kind.name != "time":
            continue
        if share(draft.times(facts.name) >= draft.times(arrived)) < _MOSTLY:
            continue
        some_lack_it = facts.cells.null_count() > draft.seen[arrived].cells.null_count()
        answered = roles.get("answered_at")
        if answered is None and some_lack_it:
            roles["answered_at"] = (facts.name,)
        elif "ended_at" not in roles and (
            answered is None or share(draft.times(facts.name) >= draft.times(answered[0])) >= _MOSTLY
        ):
            roles["ended_at"] = (facts.name,)
    return replace(found, roles=roles)


def _direct(draft: Draft, found: Recognised) -> None:
    given = found.column("queue")
    sure = found.guesses[given].score if given else 0.0
    if (column := found.likely("queue")) and sure < _SURE_OF_A_QUEUE < found.possible[column]["queue"].score:
        # What is called a skill elsewhere is what one waits for here.
        roles = {meaning: names for meaning, names in found.roles.items() if column not in names}
        found = replace(found, roles=roles | {"queue": (column,)})
    for ours, meaning in {
        "queue_id": "queue", "media": "media", "skills": "skills", "language": "language",
        "priority": "priority", "csat": "score", "csat_min": "scale_min", "csat_max": "scale_max",
    }.items():  # fmt: skip
        if column := found.column(meaning):
            draft.take(ours, Copied(column), found.why_of(column, meaning))


def _arrival(draft: Draft, found: Recognised) -> None:
    arrived, date, clock = found.facts("arrived"), found.column("date"), found.column("clock")
    if arrived is not None and (
        arrived.kind.name == "time" or (arrived.kind.name not in {"date", "clock"} and not date)
    ):
        column = _nearest_arrival(draft, found, arrived.name)
        draft.take("arrived_at", Copied(column), found.why_of(column) if column in found.guesses else "by name")
        return
    day = date or (arrived.name if arrived is not None and arrived.kind.name == "date" else None)
    hour = clock or (arrived.name if arrived is not None and arrived.kind.name == "clock" else None)
    if day and hour and day != hour:
        draft.take("arrived_at", Joined(day, hour), "a date, with the clock time of another column")
        return
    wait, answered, ended = found.column("wait"), found.column("answered_at"), found.column("ended_at")
    if ended and (duration := found.column("duration")):
        draft.take("arrived_at", Shifted(ended, less=(duration,)), "the end less the whole duration")
    elif answered and wait:
        draft.take("arrived_at", Shifted(answered, less=(wait,)), "the answer less the wait")
        draft.tell("rows without a time of answer, whose arrival is not known", draft.seen[answered].cells.null_count())
    elif ended and wait and (handle := _handle_columns(found)):
        draft.take("arrived_at", Shifted(ended, less=(wait, *handle)), "the end less wait and handling")
    elif arrived is not None:
        draft.take("arrived_at", Copied(arrived.name), found.guesses[arrived.name].why)


def _nearest_arrival(draft: Draft, found: Recognised, column: str) -> str:
    """Of several columns that could be the arrival, the one from which waiting counts."""
    others = [each for each in found.others.get("arrived", ()) if draft.seen[each].kind.name == "time"]
    wait, answered = found.column("wait"), found.column("answered_at")
    if not (others and wait and answered):
        return column
    waited = draft.seconds(wait)

    def distance(each: str) -> float:
        gap = (draft.times(answered) - draft.times(each)).dt.total_seconds()
        middle = (gap - waited).abs().median()
        return float(middle) if isinstance(middle, int | float) else float("inf")

    return min((column, *others), key=distance)


def _wait(draft: Draft, found: Recognised) -> None:
    wait, abandoned = found.column("wait"), found.column("abandon_wait")
    if wait is None and abandoned is None:
        _wait_between(draft, found)
        return
    if wait:
        # Of two that say the same, the one that those who hung up have as well.
        wait = max((wait, *found.others.get("wait", ())), key=lambda each: draft.seen[each].kind.n_filled)
    if wait and (others := [each for each in _waits(found) if each != wait and _is_other(draft, wait, each)]):
        wait = _which_wait(draft, found, (wait, *others))
    if wait and abandoned and _either(draft, wait, abandoned):
        draft.take("wait_s", Summed((wait, abandoned)), "waits of those who were answered, and of those who hung up")
        return
    if column := wait or abandoned:
        draft.take("wait_s", Copied(column), found.why_of(column))


def _wait_between(draft: Draft, found: Recognised) -> None:
    arrived, answered = draft.sources.get("arrived_at"), found.column("answered_at")
    start = arrived.column if isinstance(arrived, Copied) else ARRIVAL if isinstance(arrived, Joined) else None
    if isinstance(arrived, Joined) and answered and draft.seen[answered].kind.name != "time":
        # All times of the row are clock times of one day.
        start = arrived.clock
    if start and answered:
        end = found.column("abandoned_at", "ended_at")
        draft.take(
            "wait_s", Between(start, answered, end), "from arrival to answer" + (", or to the end" if end else "")
        )
    elif isinstance(arrived, Copied) and (end := found.column("abandoned_at")):
        draft.take("wait_s", Between(arrived.column, end), "from arrival to the time of hanging up")
    elif draft.rows != "segment" or not found.column("ended_at"):
        draft.assumptions.append(
            f"{draft.name}: no column tells how long customers waited; a replay cannot be judged without"
        )


def _waits(found: Recognised) -> tuple[str, ...]:
    return (*found.roles.get("wait", ()), *found.others.get("wait", ()))


def _is_other(draft: Draft, one: str, other: str) -> bool:
    """Whether two columns say different things."""
    return share((draft.seconds(one) - draft.seconds(other)).abs() > 1.0) > 0.01


def _either(draft: Draft, one: str, other: str) -> bool:
    """Whether (nearly) no row has both: they are two halves of one column."""
    return share((draft.seconds(one).fill_null(0) > 0) & (draft.seconds(other).fill_null(0) > 0)) < 0.01


def _which_wait(draft: Draft, found: Recognised, columns: tuple[str, ...]) -> str:
    """Of several columns that could be the wait: the one that the times bear out, or else it is asked."""
    answered, arrived = found.column("answered_at"), draft.sources.get("arrived_at")
    likely = None
    if answered and isinstance(arrived, Copied):
        gap = (draft.times(answered) - draft.times(arrived.column)).dt.total_seconds()
        near = [each for each in columns if share((draft.seconds(each) - gap).abs() <= 1.0) >= _MOSTLY]
        if len(near) == 1:
            return near[0]
        likely = near[0] if near else None
    middles = ", ".join(f"{each} (on average {_mean(draft, each):,.0f} s)" for each in columns)
    text = f"{draft.name}: which column is the time that a customer waited in the queue, {middles}?"
    answer = draft.asked.ask("interactions.columns.wait_s", text, columns, likely=likely or columns[0])
    return answer or columns[0]


def _mean(draft: Draft, column: str) -> float:
    found = draft.seconds(column).mean()
    return float(found) if isinstance(found, int | float) else 0.0


def _handle_columns(found: Recognised) -> tuple[str, ...]:
    if handle := found.column("handle"):
        return (handle,)
    if found.column("talk") is None:
        return ()
    return tuple(column for meaning in ("talk", "hold", "acw") if (column := found.column(meaning)))


def _holds_hold(draft: Draft, found: Recognised) -> bool:
    """Whether talk has hold in it: it is as long as from answer to end where somebody was on hold."""
    talk, hold = found.column("talk"), found.column("hold")
    answered, ended = found.column("answered_at"), found.column("ended_at")
    if not (talk and hold and answered and ended):
        return False
    gap = (draft.times(ended) - draft.times(answered)).dt.total_seconds()
    held = (draft.seconds(hold) > 1).fill_null(False)
    return bool(held.any()) and share(((draft.seconds(talk) - gap).abs() <= 1).filter(held)) >= _MOSTLY


def _handling(draft: Draft, found: Recognised) -> None:
    acw, answered, ended = found.column("acw"), found.column("answered_at"), found.column("ended_at")
    duration, wait = found.column("duration"), found.column("wait")
    if handle := _handle_columns(found):
        if len(handle) > 1 and _holds_hold(draft, found):
            handle = tuple(each for each in handle if each != found.column("hold"))
        _given_handling(draft, found, handle)
    elif answered and ended:
        plus = (acw,) if acw else ()
        draft.take(
            "handle_s",
            Between(answered, ended, plus=plus),
            "from answer to end" + (", with after-call work" if acw else ""),
        )
    elif duration and wait and _has_wait_in_it(draft, duration, wait):
        draft.take("handle_s", Summed((duration,), less=(wait,)), "the whole duration less the wait")
    elif duration:
        draft.take("handle_s", Copied(duration), "the duration, which does not hold the wait")
        if acw:
            draft.take("handle_s", Summed((duration, acw)), "duration and after-call work")
    elif ended and draft.rows == "segment" and isinstance(arrived := draft.sources.get("arrived_at"), Copied):
        draft.take("handle_s", Between(arrived.column, ended), "from start to end of each part of a conversation")
    else:
        draft.assumptions.append(f"{draft.name}: no column tells how long handling took")
    if acw:
        draft.take("acw_s", Copied(acw), found.guesses[acw].why)
    alert = found.column("alert")
    if alert and wait and share(draft.seconds(alert) > draft.seconds(wait) + 1) < 0.01:
        draft.take("alert_s", Copied(alert), found.guesses[alert].why)


def _given_handling(draft: Draft, found: Recognised, columns: tuple[str, ...]) -> None:
    if len(columns) == 1:
        draft.take("handle_s", Copied(columns[0]), found.guesses[columns[0]].why)
        if found.column("handle"):
            return
        draft.assumptions.append(
            f"{draft.name}: handling is {columns[0]} alone; no column tells hold and after-call work"
        )
        return
    draft.take("handle_s", Summed(columns), f"the sum of {', '.join(columns[:-1])} and {columns[-1]}")


def _has_wait_in_it(draft: Draft, duration: str, wait: str) -> bool:
    """Whether durations are those of the whole call: they are never shorter than the wait."""
    both = draft.seconds(duration), draft.seconds(wait)
    waited = both[1] > 1
    return share((both[0] + 1 >= both[1]).filter(waited.fill_null(False))) >= 0.98


def _who(draft: Draft, found: Recognised) -> None:
    columns = [facts for facts in (found.facts("agent_id"), found.facts("agent")) if facts is not None]
    both = [facts for facts in columns if found.guesses[facts.name].score >= _SURE]
    if not both:
        return
    known = [facts for facts in both if "agents" in facts.has_others_names]
    facts = (known or both)[0]
    draft.take("agent_id", Copied(facts.name), found.why_of(facts.name))
    for other in both:
        draft.leave(other.name, f"agents are told by {facts.name}")


def _ids(draft: Draft, found: Recognised) -> None:
    interaction, conversation = found.facts("interaction_id"), found.facts("conversation_id")
    if conversation is not None and conversation.kind.n_distinct < _MANY * conversation.kind.n_seen:
        draft.leave(conversation.name, "too few distinct ones to be conversations")
        conversation = None
    if conversation is None and interaction is not None and not interaction.is_unique:
        interaction, conversation = None, interaction
    if interaction is None and conversation is not None and conversation.is_unique:
        interaction, conversation = conversation, None
    if interaction is not None and interaction.is_unique:
        draft.take(
            "interaction_id", Copied(interaction.name), found.guesses[interaction.name].why + ", each row another"
        )
    elif conversation is None:
        draft.assumptions.append(f"{draft.name}: no column names each row; interactions are numbered by the rows")
    if conversation is not None:
        draft.take("conversation_id", Copied(conversation.name), found.guesses[conversation.name].why)
        _repeated(draft, conversation.name)


def _repeated(draft: Draft, conversation: str) -> None:
    """Rows of one conversation: parts of one visit to a queue, or visits to several."""
    ids = draft.seen[conversation].cells
    queue = draft.sources.get("queue_id")
    keys = pl.DataFrame({"id": ids} | ({"queue": draft.seen[queue.column].cells} if isinstance(queue, Copied) else {}))
    keys = keys.filter(pl.col("id").is_not_null())
    n_repeated = keys.height - keys["id"].n_unique()
    if not n_repeated:
        return
    n_same = keys.height - keys.n_unique()
    if n_same > _SAME_QUEUE * n_repeated:
        draft.rows = "segment"
        draft.assumptions.append(
            f"{draft.name}: {n_same:,} rows are further parts of a conversation; they are joined by {conversation}"
        )
    else:
        draft.assumptions.append(f"{draft.name}: {n_repeated:,} rows are further visits of a conversation to a queue")


def _outcome(draft: Draft, found: Recognised) -> None:
    facts, flag = found.facts("outcome"), found.column("abandoned_flag")
    told = {meant("outcome", cell) for cell in facts.counts} if facts is not None else set()
    named = facts.meanings.get("outcome") if facts is not None else None
    is_sure = named is not None and named.score == 1.0
    if facts is not None and (
        ("abandoned" in told and (is_sure or not flag)) or (flag is None and _says_outcomes(draft, facts, told))
    ):
        draft.take("outcome", Copied(facts.name), found.why_of(facts.name, "outcome"))
    elif flag:
        draft.take("outcome", Copied(flag), "whether the customer hung up")
    elif flag := found.column("answered_flag"):
        draft.take("outcome", Copied(flag), "whether it was answered")
    elif isinstance(agent := draft.sources.get("agent_id"), Copied) and (
        draft.seen[agent.column].cells.null_count() or found.column("answered_at") is None
    ):
        _told_by(draft, agent.column, "an agent is named")
    elif answered := found.column("answered_at", "talk", "handle"):
        _told_by(draft, answered, f"{answered} is filled")


def _says_outcomes(draft: Draft, facts: Facts, told: set[str | None]) -> bool:
    """Whether words are outcomes, not an agent's notes: all are known, or some stand where no agent is."""
    if told <= {"answered", "flowed_out", "unknown"}:
        return bool(told)
    agent = draft.sources.get("agent_id")
    if not isinstance(agent, Copied) or len(facts.counts) > _MOST_OUTCOMES:
        return False
    without = draft.seen[agent.column].cells.is_null()
    return share(facts.cells.is_not_null().filter(without)) >= _MOSTLY


def _told_by(draft: Draft, column: str, words: str) -> None:
    if draft.seen[column].cells.null_count():
        draft.take("outcome", Filled(column, "answered", "abandoned"), f"answered where {words}")
        draft.assumptions.append(
            f"{draft.name}: no column tells the outcome; rows are answered where {words}, else abandoned"
        )
    else:
        draft.take("outcome", Same("answered"), "")
        draft.assumptions.append(
            f"{draft.name}: no column tells the outcome and every row has {column}; all are taken as answered"
        )


def _direction(draft: Draft, found: Recognised) -> None:
    """Calls that agents make are no visits to a queue."""
    outcome = draft.sources.get("outcome")
    facts = found.facts("direction") or (draft.seen[outcome.column] if isinstance(outcome, Copied) else None)
    if facts is None:
        return
    outbound = [cell for cell in facts.counts if meant("direction", cell) == "outbound"]
    kept = tuple(cell for cell in facts.counts if cell not in outbound)
    if not (outbound and kept):
        draft.leave(facts.name, "all rows are read")
        return
    n_left = sum(facts.counts[cell] for cell in outbound)
    draft.only[facts.name] = kept
    draft.whys.setdefault(facts.name, (None, f"only {', '.join(kept)} is read"))
    words = f"{n_left:,} rows are left out because {facts.name} is {', '.join(outbound)}"
    draft.assumptions.append(f"{draft.name}: {words}")
