"""What a running service keeps: opened snapshots, threads, the connection to a platform, metrics."""
