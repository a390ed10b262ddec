"""A line of a run: once on the terminal, and in the logs that Prefect's pages show.

A stage's lines are in the log of its task, and in that of the whole retraining, where a person
looks first.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect import get_run_logger

# A Prefect server that ended in the middle of a run says so itself; Python's logging would print
# every line that it could not send to it.
logging.raiseExceptions = False

_whole_run: "list[logging.LoggerAdapter[Any]]" = []


@contextmanager
def parts_included() -> Iterator[None]:
    """Within the `with` block the flow that is running now has the lines of its parts as well."""
    _whole_run.append(_logger())
    try:
        yield
    finally:
        _whole_run.pop()


def say(line: str) -> None:
    """Print the line at once, and add it to the log of the flow or task that runs."""
    print(line.rstrip(), flush=True)
    log(line)


def log(line: str) -> None:
    """Add the line to the log of the flow or task that runs; the terminal has it already."""
    here = _logger()
    above = [whole for whole in _whole_run if _run(whole) != _run(here)]
    for logger in [here, *above]:
        logger.info(line.rstrip())


def _logger() -> "logging.LoggerAdapter[Any]":
    logger = get_run_logger()
    assert isinstance(logger, logging.LoggerAdapter)
    return logger


def _run(logger: "logging.LoggerAdapter[Any]") -> str:
    return str((logger.extra or {}).get("flow_run_id"))
