"""The import on its way: days read into parts, parts assembled, a snapshot written."""
