# %% [markdown]
# # What if calls took longer?
#
# A what-if on the small made-up centre of `data/sample`: the lever `handle` makes handling times longer or shorter, and
# everything else stays: the same customers, the same agents on queue, the same patience. Run the file whole, or cell by
# cell in an editor that knows such files.

# %%
from pathlib import Path

import polars as pl

import routelab

SAMPLE = Path(__file__).parents[1] / "data" / "sample"

# %% [markdown]
# ## Read
# Staffing is known here; without it, it would be inferred from who answered what.

# %%
tables = ("agents", "members", "queues", "interactions", "staffing")
centre = routelab.read(**{table: SAMPLE / f"{table}.csv" for table in tables})
print(centre)

# %% [markdown]
# ## Which way, and how far
# Today's rule with handling times a tenth shorter to a fifth longer. Differences are to the first scenario.

# %%
factors = (0.9, 1.1, 1.2)
steps = [{"name": f"times {factor:g}", "handle": factor} for factor in factors]
compared = routelab.compare(centre, [{"method": "genesys"}, *steps], sla="80/20", replications=3)
print(compared)
waits = compared.to_frame().filter(pl.col("measure").is_in(["service_level", "asa_s", "abandonment"]))
print(waits.filter(pl.col("handling") == "recorded").select("scenario", "measure", "value", "difference"))

# %% [markdown]
# ## Where it hurts
# A lever may be for a queue, a skill, an agent or a group, on some weekdays or hours only: here mornings of one queue.

# %%
morning = {"factor": 1.2, "queue": "care", "when": {"from": "08:00", "to": "12:00"}}
today = routelab.replay(centre, method="genesys")
longer = routelab.replay(centre, method="genesys", handle=morning)
print(longer)
level = {
    name: {row.queue_id: row.service_level for row in run.report.service_level.by_queue}
    for name, run in (("today", today), ("mornings of care a fifth longer", longer))
}
print(pl.DataFrame([{"run": name, **by_queue} for name, by_queue in level.items()]))

# %% [markdown]
# ## The same customers
# Whoever is not touched by the lever takes as long as before, so differences come from the lever alone.

# %%
both = today.to_frame().join(longer.to_frame(), on="interaction_id", suffix="_longer")
print(both.group_by("queue_id").agg(pl.len(), (pl.col("wait_s_longer") - pl.col("wait_s")).mean().alias("more_wait_s")))
