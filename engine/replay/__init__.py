"""Busy agents, queues and abandonment: interactions played in order of time."""
