"""Snapshots: one folder of Arrow files with a manifest, written whole or not at all."""
