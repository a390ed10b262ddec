"""A line of a run: once on the terminal, and once in the log that Prefect's page of it shows."""

import logging

from prefect import get_run_logger

# A Prefect server that ended in the middle of a run says so itself; Python's logging would print
# every line that it could not send to it.
logging.raiseExceptions = False


def say(line: str) -> None:
    """Print the line at once, and add it to the log of the flow or task that runs."""
    print(line.rstrip(), flush=True)
    log(line)


def log(line: str) -> None:
    """Add the line to the log of the flow or task that runs; the terminal has it already."""
    get_run_logger().info(line.rstrip())
