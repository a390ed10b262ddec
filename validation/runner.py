"""Runs the suites in Great Expectations 1.x: the only module that touches the library.

Everything happens in a temporary file context, so nothing is written to the home folder, and
telemetry is off before the library is imported. The import takes seconds: it happens on first use.
"""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from thorax.errors import ThoraxError
from validation import docs
from validation.checks import Check, Outcome, Table

_RUN_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # names the run in Data Docs: outs hold no clock times


def run(tables: list[Table], docs_folder: Path, *, rows_named: int) -> list[Outcome]:
    """Judge every table by its suite, and write Data Docs.

    Args:
        tables: tables with their checks.
        docs_folder: where the static site goes; made when missing.
        rows_named: how many offending rows an outcome names.

    Returns:
        One outcome per check, in the order of the tables and their checks.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with tempfile.TemporaryDirectory(prefix="thorax-gx-") as temporary:
        context = _context(Path(temporary))
        outcomes: list[Outcome] = []
        for table in tables:
            results = _validate(context, table, rows_named)
            outcomes += [
                _outcome(check, table, results[check.name], rows_named) for check in table.checks
            ]
        context.build_data_docs()
        site = Path(temporary) / "gx" / "uncommitted" / "data_docs" / "local_site"
        docs.make_static(site, docs_folder)
    return outcomes


def _context(folder: Path) -> Any:
    import great_expectations as gx

    context: Any = gx.get_context(mode="file", project_root_dir=folder)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    context.data_sources.add_pandas("thorax")
    return context


def _validate(context: Any, table: Table, rows_named: int) -> dict[str, dict[str, Any]]:
    """Results of `table` by check name, as the library's JSON."""
    import great_expectations as gx

    asset = context.data_sources.get("thorax").add_dataframe_asset(table.name)
    batch = asset.add_batch_definition_whole_dataframe("whole")
    suite = context.suites.add(gx.ExpectationSuite(name=table.name))
    for check in table.checks:
        expectation = getattr(gx.expectations, check.expectation)
        suite.add_expectation(
            expectation(
                **check.arguments,
                severity=check.severity,
                notes=check.reason,
                meta={"check": check.name},
            )
        )
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=table.name, data=batch, suite=suite)
    )
    result = definition.run(
        batch_parameters={"dataframe": table.frame},
        result_format={
            "result_format": "SUMMARY",
            "unexpected_index_column_names": list(table.names_rows),
            "partial_unexpected_count": rows_named,
            "return_unexpected_index_query": False,
        },
        run_id=gx.RunIdentifier(run_name="validation", run_time=_RUN_TIME),
    )
    entries = (entry.to_json_dict() for entry in result.results)
    return {entry["expectation_config"]["meta"]["check"]: entry for entry in entries}


def _outcome(check: Check, table: Table, entry: dict[str, Any], rows_named: int) -> Outcome:
    result = entry["result"]
    rows = check.rows or tuple(result.get("partial_unexpected_index_list") or ())
    failed = not entry["success"]
    return Outcome(
        name=check.name,
        table=table.name,
        severity=check.severity,
        success=bool(entry["success"]),
        observed=_observed(check, table, result, failed=failed),
        unexpected_count=int(result.get("unexpected_count", check.offenders if failed else 0)),
        reason=check.reason,
        rows=rows[:rows_named] if failed else (),
    )


def _observed(check: Check, table: Table, result: dict[str, Any], *, failed: bool) -> Any:
    """What was found, in few words; a check that could not be made says why."""
    if "details" in result:
        missing = result["details"].get("mismatched", {}).get("missing", [])
        return f"missing: {', '.join(map(str, missing))}" if missing else "all there"
    if "observed_value" in result:
        value = result["observed_value"]
        return round(value, 6) if isinstance(value, float) else value
    if "unexpected_count" in result:
        return f"{result['unexpected_count']} of {result['element_count']}"
    named = [value for key, value in check.arguments.items() if key.startswith("column")]
    columns = [
        column for value in named for column in ([value] if isinstance(value, str) else value)
    ]
    if gone := [column for column in columns if column not in table.frame.columns]:
        return f"could not be checked: column {', '.join(gone)} is missing"
    if failed:
        raise ThoraxError(f"{table.name}: Great Expectations could not check that {check.name}")
    return "nothing to check"
