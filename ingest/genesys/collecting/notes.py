"""What the platform's history cannot tell, in words for the manifest."""

from __future__ import annotations

ASSUMPTIONS = (
    "One interaction is one visit of a conversation to a queue, numbered within its conversation; arrived_at is when "
    "the visit was offered to the queue, so time in a voice menu is not part of the wait.",
    "Priority is not in the platform's conversation details; every interaction has priority 0.",
    "Skills and languages of agents, members, rings, capacities and rules of interruption are those of the day of "
    "reading; what they were on the day of an interaction is not recorded. The same holds for the settings of queues.",
    "Which agents were idle is not recorded; it follows from their time on queue, these interactions and busy.",
    "Time on queue is presence On Queue with routing status idle, interacting or communicating; agents who let "
    "an alert ring are off queue until they come back.",
    "Busy holds visits to other queues, outbound and direct conversations of these queues' agents, each with its "
    "media: it takes one place of it under the agent's capacity and rules of interruption. What came through no "
    "queue is there where the utilisation settings count it (includeNonAcd).",
    "Where nothing says how a visit ended, an agent's session that shows work for it is its answer. A visit without "
    "one and without a mark of abandonment ends, outcome unknown, when its session or conversation did.",
    "The service level of a queue is that of its calls; the goal of an earlier day is not recorded.",
    "idle_since is the start of the present routing status of agents who are idle; it is not the clock by which the "
    "platform routes.",
)
NO_PRESENCE = (
    "When agents were on queue could not be read (permission analytics:userDetail:view) or nobody was, so replays "
    "infer it from the interactions."
)
SOME_PRESENCE = (
    "When agents were on queue could not be read for {days} (UTC); on these days nobody is on queue in replays, so "
    "leave them out with --from and --to."
)
PROVISIONAL = (
    "The platform's jobs did not cover {days} (UTC) yet when this was read; conversations of these days that began "
    "more than a day earlier are missing until the same command runs again later."
)
NOT_ACD = "left out: work through no queue, which the utilisation settings do not count (includeNonAcd)"
UNKNOWN_SKILLS = "kept: skills that the platform does not name any more stand by their ids"
DEPARTED = (
    "{n} pairs of queue and agent answered interactions but are no members any more; they are taken as members, since "
    "they were there."
)
