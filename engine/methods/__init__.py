"""Routing methods; everything else reads the table `METHODS`.

A new one is a file with a `Method`, which fills a `Ladder` from a `View`, and a line here.
"""

from engine.methods import bullseye, genesys, preferred, weighted, yardsticks

METHODS = {
    "weighted": weighted.METHOD,
    "genesys": genesys.METHOD,
    "bullseye": bullseye.METHOD,
    "preferred_agent": preferred.METHOD,
    "longest_idle": yardsticks.LONGEST_IDLE,
    "fastest_first": yardsticks.FASTEST_FIRST,
    "fixed_order": yardsticks.FIXED_ORDER,
    "random": yardsticks.RANDOM,
}
