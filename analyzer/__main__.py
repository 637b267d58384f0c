"""Run the tool as `offlint` or `python -m analyzer`."""

import sys


def run() -> None:
    """Run the tool on the command line's arguments and exit; an interrupt is quiet from the start.

    Loading the command line takes a while, so that somebody may interrupt it.
    """
    try:
        from analyzer.cli import run as run_command

        run_command()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
