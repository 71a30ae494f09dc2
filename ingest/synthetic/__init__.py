"""A made-up centre of any size, from a seed."""

from ingest.synthetic.making import make

__all__ = ["make"]
