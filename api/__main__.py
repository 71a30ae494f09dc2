"""`python -m api` is `routelab`."""

from __future__ import annotations

from api.terminal.starting import end_at_once_when_told


def main() -> None:
    """Run the command of this process, which may be told to end while it is still being read."""
    end_at_once_when_told()
    from api.terminal.cli import main as run_command

    run_command()


if __name__ == "__main__":
    main()
