"""Benchmarks of the replay: centres of several kinds, other simulators on the same draws, cost against agents."""
