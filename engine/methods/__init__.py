"""Routing methods: each fills a `Ladder` for replays; tests and doors read the table `METHODS`."""

from engine.methods import weighted, yardsticks
from engine.methods.method import Method

METHODS = {
    "weighted": Method(
        "the weighted score; ties by longest idle", weighted.ladder, weighted.Weighted, ("csat", "weights")
    ),
    "longest_idle": Method("longest idle among the eligible", yardsticks.longest_idle),
}
