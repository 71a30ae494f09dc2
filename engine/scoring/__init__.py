"""How well each agent fits each call type: weights, satisfaction, scores."""
