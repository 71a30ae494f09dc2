# %% [markdown]
# # A first look at a contact centre
#
# Reads the small made-up centre of `data/sample`, replays its days as they were routed, compares two other ways to
# route them, and asks why one customer got the agent they got. Run the file whole, or cell by cell in an editor that
# knows such files.

# %%
from pathlib import Path

import polars as pl

import routelab

SAMPLE = Path(__file__).parents[1] / "data" / "sample"

# %% [markdown]
# ## Read
# One file or frame for each table. Agents and interactions are needed, the others help.

# %%
tables = ("agents", "members", "queues", "interactions", "surveys", "staffing")
centre = routelab.read(**{table: SAMPLE / f"{table}.csv" for table in tables})
print(centre)

# %% [markdown]
# ## Look
# A table is a polars frame.

# %%
calls = centre.table("interactions")
by_queue = calls.group_by("queue_id").agg(
    pl.len().alias("offered"),
    (pl.col("outcome") == "abandoned").mean().alias("abandoned"),
    pl.col("handle_s").mean(),
)
print(by_queue.sort("queue_id"))

# %% [markdown]
# ## Replay
# The same customers at the same times, with busy agents and queues. The light says whether today's rule, replayed,
# gives what was recorded; while it is red, the replay may still be compared with itself, but is no picture of the past.

# %%
today = routelab.replay(centre, method="genesys", sla="80/20")
print(today)
waits = today.to_frame().group_by("status").agg(pl.len(), pl.col("wait_s").mean())
print(waits.sort("status"))

# %% [markdown]
# ## Compare
# Every scenario is played twice: with recorded handling times, and with times that change with the agent.

# %%
compared = routelab.compare(
    centre,
    [
        {"method": "genesys"},
        {"name": "by score", "method": "weighted", "required": ["skills"]},
        {"method": "longest_idle"},
    ],
    sla="80/20",
    replications=3,
)
print(compared)
levels = compared.to_frame().filter(pl.col("measure") == "service_level")
print(levels.select("handling", "scenario", "value", "difference"))

# %% [markdown]
# ## Explain
# Why one customer got the agent they got: every agent, best first, with the reason.

# %%
scored = routelab.score(centre, required=["skills"])
first = scored.to_frame()["interaction_id"][0]
why = scored.explain(first)
print(why.select("place", "agent_id", "proficiency", "language", "csat", "score", "reason").head(4))
