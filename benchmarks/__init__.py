"""Named workloads times phases, and the row-by-row baseline they are compared with."""
