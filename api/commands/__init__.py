"""The commands of `routelab`, one file each. Heavy packages are imported when a command runs."""
