"""Sheets to tables, by a profile."""
