"""The replay beside theory and published simulations: exact formulas, cases, and a run that compares."""
