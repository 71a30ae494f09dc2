"""How the rows of an export become interactions: where arrival, wait, handling and outcome come from."""

from __future__ import annotations

import polars as pl

from ingest.exports.inspection.draft import Draft, share
from ingest.exports.inspection.known.vocabulary import meant
from ingest.exports.inspection.recognising import Recognised
from ingest.exports.profile.profile import Between, Copied, Filled, Joined, Same, Shifted, Summed

_MOSTLY = 0.9
# Of rows with the same conversation, more than this in the same queue are parts of one visit.
_SAME_QUEUE = 0.5
_CALCULATED = "it is calculated"


def build(draft: Draft, found: Recognised) -> None:
    """All that a file of interactions says, or what can be made of it."""
    _direct(draft, found)
    _arrival(draft, found)
    _wait(draft, found)
    _handling(draft, found)
    _who(draft, found)
    _ids(draft, found)
    _outcome(draft, found)
    _direction(draft, found)


def _direct(draft: Draft, found: Recognised) -> None:
    for ours, meaning in {
        "queue_id": "queue", "media": "media", "skills": "skills", "language": "language",
        "priority": "priority", "csat": "score", "csat_min": "scale_min", "csat_max": "scale_max",
    }.items():  # fmt: skip
        if column := found.column(meaning):
            draft.take(ours, Copied(column), found.guesses[column].why)


def _arrival(draft: Draft, found: Recognised) -> None:
    arrived, date, clock = found.facts("arrived"), found.column("date"), found.column("clock")
    if arrived is not None and arrived.kind.name == "time":
        column = _nearest_arrival(draft, found, arrived.name)
        draft.take("arrived_at", Copied(column), found.guesses[column].why if column in found.guesses else "by name")
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
    if wait and (others := [each for each in found.others.get("wait", ()) if _is_other(draft, wait, each)]):
        wait = _which_wait(draft, found, (wait, *others))
    if wait and abandoned and _either(draft, wait, abandoned):
        draft.take("wait_s", Summed((wait, abandoned)), "waits of those who were answered, and of those who hung up")
        return
    column = wait or abandoned
    assert column is not None
    draft.take("wait_s", Copied(column), found.guesses[column].why)


def _wait_between(draft: Draft, found: Recognised) -> None:
    arrived, answered = draft.sources.get("arrived_at"), found.column("answered_at")
    start = arrived.column if isinstance(arrived, Copied) else arrived.clock if isinstance(arrived, Joined) else None
    if start and answered:
        end = found.column("abandoned_at", "ended_at")
        draft.take(
            "wait_s", Between(start, answered, end), "from arrival to answer" + (", or to the end" if end else "")
        )
    elif isinstance(arrived, Copied) and (end := found.column("abandoned_at")):
        draft.take("wait_s", Between(arrived.column, end), "from arrival to the time of hanging up")
    else:
        draft.assumptions.append(
            f"{draft.name}: no column tells how long customers waited; a replay cannot be judged without"
        )


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


def _handling(draft: Draft, found: Recognised) -> None:
    acw, answered, ended = found.column("acw"), found.column("answered_at"), found.column("ended_at")
    duration, wait = found.column("duration"), found.column("wait")
    if handle := _handle_columns(found):
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
    both = [facts for facts in (found.facts("agent_id"), found.facts("agent")) if facts is not None]
    if not both:
        return
    known = [facts for facts in both if "agents" in facts.has_others_names]
    facts = (known or both)[0]
    draft.take("agent_id", Copied(facts.name), found.guesses[facts.name].why)
    for other in both:
        draft.leave(other.name, f"agents are told by {facts.name}")


def _ids(draft: Draft, found: Recognised) -> None:
    interaction, conversation = found.facts("interaction_id"), found.facts("conversation_id")
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
    facts = found.facts("outcome")
    if facts is not None and facts.share_meant("outcome") >= 0.3:
        draft.take("outcome", Copied(facts.name), found.guesses[facts.name].why)
        return
    if (
        facts is not None
        and found.facts("abandoned_flag") is None
        and found.facts("answered_flag") is None
        and _is_asked(draft, facts.name)
    ):
        draft.take("outcome", Copied(facts.name), found.guesses[facts.name].why)
        return
    if flag := found.column("abandoned_flag"):
        draft.take("outcome", Copied(flag), "whether the customer hung up")
    elif flag := found.column("answered_flag"):
        draft.take("outcome", Copied(flag), "whether it was answered")
    elif agent := draft.sources.get("agent_id"):
        assert isinstance(agent, Copied)
        _told_by(draft, agent.column, "an agent is named")
    elif answered := found.column("answered_at", "talk", "handle"):
        _told_by(draft, answered, f"{answered} is filled")


def _is_asked(draft: Draft, column: str) -> bool:
    """Whether unknown words of a column could be outcomes: some of them go with an agent, others never."""
    return 1 < len(draft.seen[column].counts) <= 12


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
    facts = found.facts("direction")
    if facts is None:
        return
    outbound = [cell for cell in facts.counts if meant("direction", cell) == "outbound"]
    n_left = sum(facts.counts[cell] for cell in outbound)
    if outbound and n_left < draft.seen.n_rows:
        kept = tuple(cell for cell in facts.counts if cell not in outbound)
        if kept:
            draft.only[facts.name] = kept
            draft.whys.setdefault(facts.name, (None, f"only {', '.join(kept)} is read"))
            draft.assumptions.append(
                f"{draft.name}: {n_left:,} rows are left out because {facts.name} is {', '.join(outbound)}"
            )
            return
    draft.leave(facts.name, "all rows are read")
