"""Compiled loops: arrays in, arrays filled, nothing else."""
