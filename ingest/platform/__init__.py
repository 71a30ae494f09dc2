"""Talking to Genesys Cloud: client, patience with it, limits."""
