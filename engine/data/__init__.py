"""Tables as data: checks, encoding, call types, history, wall time."""
