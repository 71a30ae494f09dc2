"""`routelab snapshot inspect` and `routelab snapshot files`: from files as people have them to a snapshot."""
