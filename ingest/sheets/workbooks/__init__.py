"""Workbooks: their sheets, their types, and how large they may be."""
