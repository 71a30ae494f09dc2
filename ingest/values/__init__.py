"""What a column of cells means: numbers, times, durations, goals, spans of a shift; decided by the whole column."""
