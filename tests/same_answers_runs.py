"""The 25 runs that `tests.same_answers` records: what is asked, and the snapshots that they read."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

Json = Any
Row = dict[str, str]

OUT = "out"


# --- what is asked ---------------------------------------------------------------------------------------------------

SAMPLE_TABLES = ("agents", "interactions", "members", "queues", "surveys", "staffing")
SNAPSHOTS = {
    "bank": "snapshot bank --name bank --log LOG",
    "demo": "snapshot synthetic --name demo --interactions 3000 --agents 20 --days 14",
    "like_bank": "snapshot synthetic --name like_bank --like bank --interactions 60000",
    "sample": "snapshot files --name sample --made-up surveys "
    + " ".join(f"--{table} sample/{table}.csv" for table in SAMPLE_TABLES),
    "rings": "snapshot files --name rings --made-up surveys --handle-factors rings/handle_factors.csv "
    + " ".join(f"--{table} rings/{table}.csv" for table in SAMPLE_TABLES),
    "week": 'snapshot genesys --name week --queue "Queue 1" --queue "Queue 2" --from 2026-01-05 --to 2026-01-11',
}
DOUBLE = "genesys double --agents 30 --days 7"

SCORE = "--mode score --method weighted --threshold 0.5"
REPLAY = "--mode replay --threshold 0.5"
MAY = "--from 1999-05-02 --to 1999-05-15"
# Command lines by run and part; what they print and the files that they write are kept.
COMMANDS: dict[str, dict[str, str]] = {
    "snapshots_show": {
        "demo": "snapshot show demo",
        "like_bank": "snapshot show like_bank",
        "sample": "snapshot show sample",
        "rings": "snapshot show rings",
        "week": "snapshot show week",
        "week_verified": "snapshot verify week",
    },
    "score_default": {"demo": f"simulate --snapshot demo {SCORE}"},
    "score_goal": {
        "missed": f"simulate --snapshot demo {SCORE} --weights 0.2,0.3,0.5 --sla 80/20 --performance 0.7",
        "met": f"simulate --snapshot demo {SCORE} --sla 95/30 --performance 0.93",
    },
    "score_required": {
        "both": f"simulate --snapshot week {SCORE} --required skills,language",
        "skills": f"simulate --snapshot like_bank {SCORE} --required skills --from 2026-02-01 --to 2026-02-28",
    },
    "score_terms": {
        "csat_all": f"simulate --snapshot week {SCORE} --csat all --csat-missing queue-mean --csat-shrinkage 5",
        "language_level": f"simulate --snapshot sample {SCORE} --language-term proficiency",
    },
    "score_expected_staffed": {
        "staffed": f"simulate --snapshot demo {SCORE} --expected staffed",
        "uniform": f"simulate --snapshot sample {SCORE} --expected uniform",
    },
    "replay_weighted": {
        "bank": f"simulate --snapshot bank {REPLAY} --method weighted {MAY}",
    },
    "replay_genesys": {
        "week": f"simulate --snapshot week {REPLAY} --method genesys",
        "required": f"simulate --snapshot week {REPLAY} --method weighted --required skills,language --force",
    },
    "replay_bullseye": {"rings": f"simulate --snapshot rings {REPLAY} --method bullseye"},
    "replay_preferred_agent": {"rings": f"simulate --snapshot rings {REPLAY} --method preferred_agent"},
    "replay_rolling": {
        "demo": f"simulate --snapshot demo {REPLAY} --method weighted --sla 80/20 --performance rolling "
        "--replications 3 --window 1200 --replan 600",
    },
    "replay_handling_agent": {
        "estimated": f"simulate --snapshot week {REPLAY} --method weighted --handling agent",
        "given": f"simulate --snapshot rings {REPLAY} --method fastest_first --handling agent --acw 20",
    },
    "replay_short_abandon": {
        "like_bank": f"simulate --snapshot like_bank {REPLAY} --method longest_idle --short-abandon 5 "
        "--service-level offered --interval 60 --from 2026-03-01 --to 2026-03-31",
        "week": f"simulate --snapshot week {REPLAY} --method random --short-abandon 10 --service-level answered "
        "--interval 15 --flow-out never --seed 7",
    },
    "replay_switches": {
        "rings": f"simulate --snapshot rings {REPLAY} --method genesys --switch language_in_mean=true "
        "--switch resets_on_queue=true --switch longest_idle=3",
        "week": f"simulate --snapshot week {REPLAY} --method genesys --switch alert_resets_idle=true "
        "--switch new_agents_last=true --switch lookback_days=2 --no-answer 0.05",
    },
    "replay_no_answer": {
        "demo": f"simulate --snapshot demo {REPLAY} --method weighted --no-answer 0.1 --alert-timeout 12 --away 45",
        "never_leave": f"simulate --snapshot demo {REPLAY} --method fixed_order --patience never --point 90",
    },
    "compare_two": {
        "bank": f"compare --snapshot bank --methods genesys,weighted --threshold 0.5 --replications 3 {MAY}",
    },
    "compare_three": {
        "week": "compare --snapshot week --methods genesys,weighted,random --threshold 0.5 --replications 3",
    },
    "calibrate_bank": {
        "shown": "snapshot show bank",
        "fitted": "calibrate --snapshot bank --fit-from 1999-01-01 --fit-to 1999-04-30 --test-from 1999-05-01 "
        "--test-to 1999-05-31 --replications 3",
        "used": f"simulate --snapshot bank {REPLAY} --method weighted {MAY} "
        f"--calibration {OUT}/calibrate_bank/fitted/calibration.json",
    },
    "explain_score": {
        "demo": f"explain --snapshot demo {SCORE} --interaction i1538",
        "required": f"explain --snapshot week {SCORE} --interaction i0478#1 --required skills,language",
    },
    "explain_replay": {
        "weighted": f"explain --snapshot demo {REPLAY} --method weighted --interaction i1538",
        "genesys": f"explain --snapshot week {REPLAY} --method genesys --interaction i0478#1",
        "preferred": f"explain --snapshot rings {REPLAY} --method preferred_agent --interaction i0150",
    },
}
# Command lines whose tables are kept as text.
TABLES = {
    "replay_genesys": {"table": f"simulate --snapshot week {REPLAY} --method genesys"},
    "compare_three": {
        "table": "compare --snapshot week --methods genesys,weighted,random --threshold 0.5 --replications 3",
    },
}
WRITES_OUT = {"simulate": "", "compare": "", "calibrate": "calibration.json"}

ROUTING, BATCH = "/simulate/routing", "/simulate/batch"
WEIGHTS = {"proficiency": 0.5, "language_match": 0.3, "historical_csat": 0.2, "min_score_threshold": 0.4}
REQUEST = {
    "queue_id": "regular",
    "required_skill": "PS",
    "required_language": "Hebrew",
    "sla_target": "80/20",
    "current_performance": 0.8,
    "start_date": "2026-03-01",
    "end_date": "2026-03-07",
    "snapshot": "like_bank",
}
EXPLAINED = {
    "current_performance": 0.7,
    "weights": WEIGHTS,
    "required": ["skills", "language"],
    "top": 3,
    "explain": True,
}
DAYS = {"start_date": "2026-01-06", "end_date": "2026-01-15"}
SCORED = {"mode": "score", "snapshot": "demo", "weights": WEIGHTS, "csat": "all", **DAYS}
ROLLING = {"sla_target": "80/20", "current_performance": "rolling", "replications": 2}
REPLAYED = {"mode": "replay", "method": "weighted", "snapshot": "demo", "weights": WEIGHTS, **ROLLING, **DAYS}
CALLS = [
    {
        "interaction_id": f"call-{n:02}",
        "queue_id": ("care", "sales")[n % 2],
        "arrived_at": f"2024-03-04T09:{n:02}:{7 * n % 60:02}Z",
        "skills": ["billing"] if n % 3 else [],
        "language": "en",
        "handle_s": 200 + 35 * (n % 5),
    }
    for n in range(40)
]
INLINE = {"snapshot": "sample", "interactions": CALLS, "weights": WEIGHTS, "outcomes": True}
# Requests by run and part: path, and body where it is posted.
REQUESTS: dict[str, dict[str, tuple[str, Json]]] = {
    "http_routing": {
        "seven_fields": (ROUTING, REQUEST),
        "explained": (ROUTING, REQUEST | EXPLAINED),
        "unknown_queue": (ROUTING, REQUEST | {"queue_id": "regulr"}),
    },
    "http_batch_score": {"demo": (BATCH, SCORED)},
    "http_batch_replay": {
        "rolling": (BATCH, REPLAYED),
        "genesys": (BATCH, {"mode": "replay", "method": "genesys", "snapshot": "week"}),
    },
    "http_batch_inline": {
        "score": (BATCH, INLINE | {"mode": "score"}),
        "replay": (BATCH, INLINE | {"mode": "replay", "method": "longest_idle"}),
    },
    "http_pages": {"snapshots": ("/snapshots", None), "openapi": ("/openapi.json", None)},
}
NAMES = (*COMMANDS, *REQUESTS)


def needs_bank(run: str) -> bool:
    """Whether a run reads the bank's log."""
    return any("--snapshot bank" in line for line in COMMANDS.get(run, {}).values())


# --- files of the snapshot `rings` -----------------------------------------------------------------------------------

RINGS = [
    {
        "expansionCriteria": [{"type": "TIMEOUT_SECONDS", "threshold": 15}],
        "actions": {"skillsToRemove": [{"name": "billing"}, {"name": "tech"}]},
    },
    {},
]
RULES = [
    {"operator": "MEETS_THRESHOLD", "threshold": 80, "waitSeconds": 20},
    {"operator": "ANY", "waitSeconds": 30},
]


def write_rings(sample: Path, folder: Path) -> None:
    """The sample's files with rings, rules, preferred agents and handling factors."""
    shutil.copytree(sample, folder)
    members = read_csv(folder / "members.csv")
    serving = {row["queue_id"]: [m["agent_id"] for m in members if m["queue_id"] == row["queue_id"]] for row in members}
    more = {"rings": orjson.dumps(RINGS).decode(), "routing_rules": orjson.dumps(RULES).decode()}
    rewrite(folder / "queues.csv", lambda _n, _row: more)
    rewrite(folder / "interactions.csv", lambda n, row: {"preferred": preferred(n, serving[row["queue_id"]])})
    agents = read_csv(folder / "agents.csv")
    factors = [{"agent_id": row["agent_id"], "factor": f"{0.8 + 0.05 * n:.2f}"} for n, row in enumerate(agents)]
    write_csv(folder / "handle_factors.csv", factors)


def preferred(n: int, agents: Sequence[str]) -> str:
    """Two agents of the queue with scores, for two interactions of three."""
    chosen = {agents[n % len(agents)]: 60 + 10 * (n % 5), agents[(n + 2) % len(agents)]: 75}
    return ";".join(f"{agent}:{score}" for agent, score in chosen.items()) if n % 3 else ""


def rewrite(path: Path, more: Callable[[int, Row], Row]) -> None:
    """Add columns to a CSV file."""
    write_csv(path, [row | more(n, row) for n, row in enumerate(read_csv(path))])


def read_csv(path: Path) -> list[Row]:
    """Rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows of equal columns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
