"""Cells on their way to the type of their column: plain ones, times, lists."""
