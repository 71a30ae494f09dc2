"""`python -m api` is `routelab`."""

from api.terminal.cli import main

if __name__ == "__main__":
    main()
