"""Conversations as the platform tells them, walked once: visits to queues, agents' work, surveys."""

from ingest.genesys.conversations.parsing import COLUMNS, Conversations, parse_conversations

__all__ = ["COLUMNS", "Conversations", "parse_conversations"]
