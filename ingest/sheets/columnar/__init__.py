"""Files that keep tables by columns: Parquet and Arrow."""
