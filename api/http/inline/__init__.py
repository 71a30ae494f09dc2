"""Interactions in the body of a request: read, checked, encoded."""
