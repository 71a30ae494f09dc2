"""Routing methods: each fills a `Ladder` for replays; tests and doors read the table `METHODS`.

A new one is a file with a function from `View` to `Ladder`, and a line here.
"""

from engine.methods import bullseye, genesys, preferred, weighted, yardsticks
from engine.methods.method import Method

METHODS = {
    "weighted": Method(
        "the weighted score; ties by longest idle", weighted.ladder, weighted.Weighted, ("csat", "weights")
    ),
    "genesys": Method(
        "Genesys standard routing: each queue's evaluation method, ALL, BEST or NONE", genesys.ladder, is_platform=True
    ),
    "bullseye": Method(
        "Genesys bullseye: rings that open with waiting; queues without rings as genesys",
        bullseye.ladder,
        is_platform=True,
    ),
    "preferred_agent": Method(
        "Genesys preferred agents by each queue's rules, then its rings or standard routing",
        preferred.ladder,
        reads=("preferred",),
        is_platform=True,
    ),
    "longest_idle": Method("longest idle among the eligible", yardsticks.longest_idle),
    "fastest_first": Method("shortest handling time among the eligible", yardsticks.fastest_first, reads=("factors",)),
    "fixed_order": Method("smallest agent id among the eligible", yardsticks.fixed_order),
    "random": Method("drawn among the eligible, each with the same chance", yardsticks.random),
}
