"""The HTTP service: routes, jobs, keys, problems, metrics."""
