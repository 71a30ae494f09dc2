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

_QUEUE_SETTING = (
    "{} is an evaluation method, a setting of each queue (queues.evaluation_method); method genesys plays it"
)
# Words of Genesys' pages that are no methods here, and where they belong.
MISTAKEN = {
    **{word: _QUEUE_SETTING.format(word.upper()) for word in ("best", "all", "none")},
    **dict.fromkeys(
        ("standard", "all skills matching", "best available skills", "disregard skills, next agent"),
        "that is Genesys' standard routing: method genesys",
    ),
    **dict.fromkeys(("preferred", "preferred agent"), "preferred agents are asked by the method preferred_agent"),
    **dict.fromkeys(("rings", "ring", "bulls-eye", "bull's eye"), "rings are played by the method bullseye"),
    "predictive": "predictive routing cannot be replayed",
    "conditional": "conditional groups need live figures and cannot be replayed",
    "skills": "skills are a filter (required) or a term of the score, not a method",
}
