"""Runs the suites in Great Expectations 1.x: the only module that touches the library.

Everything happens in a context in memory, which is some 15 ms of processor time per check faster
than one in files; only Data Docs are written. Telemetry is off before the library is imported. The
import takes seconds: it happens on first use.
"""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from thorax.errors import ThoraxError
from validation import docs
from validation.checks import Check, Outcome, Row, Table

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
    with tempfile.TemporaryDirectory(prefix="thorax-gx-") as temporary:
        context = open_context(Path(temporary))
        outcomes = judge(context, tables, rows_named=rows_named)
        context.build_data_docs()
        docs.make_static(Path(temporary), docs_folder)
    return outcomes


def open_context(site: Path) -> Any:
    """A context in memory whose Data Docs go to the folder `site` when they are built."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    context.data_sources.add_pandas("thorax")
    context.update_data_docs_site(  # the one that it comes with, in a folder of its own
        site_name="local_site",
        site_config={
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": os.fspath(site),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    return context


def judge(context: Any, tables: list[Table], *, rows_named: int) -> list[Outcome]:
    """Judge every table by its suite in a context of `open_context`; writes nothing."""
    outcomes: list[Outcome] = []
    for table in tables:
        results = _validate(context, table, rows_named)
        outcomes += [
            _outcome(check, table, results[check.name], rows_named)
            if not check.not_applicable
            else _not_applicable(check, table)
            for check in table.checks
        ]
    return outcomes


def _validate(context: Any, table: Table, rows_named: int) -> dict[str, dict[str, Any]]:
    """Results of `table` by check name, as the library's JSON."""
    import great_expectations as gx

    asset = context.data_sources.get("thorax").add_dataframe_asset(table.name)
    batch = asset.add_batch_definition_whole_dataframe("whole")
    expectations = [
        getattr(gx.expectations, check.expectation)(
            **check.arguments,
            severity=check.severity,
            notes=check.reason,
            meta={"check": check.name},
        )
        for check in table.checks
        if not check.not_applicable
    ]
    suite = context.suites.add(gx.ExpectationSuite(name=table.name, expectations=expectations))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=table.name, data=batch, suite=suite)
    )
    result = definition.run(
        batch_parameters={"dataframe": table.frame},
        result_format={
            "result_format": "BASIC",  # the others build a record of every failing row
            "partial_unexpected_count": rows_named,
        },
        run_id=gx.RunIdentifier(run_name="validation", run_time=_RUN_TIME),
    )
    entries = (entry.to_json_dict() for entry in result.results)
    return {entry["expectation_config"]["meta"]["check"]: entry for entry in entries}


def _not_applicable(check: Check, table: Table) -> Outcome:
    return Outcome(
        name=check.name,
        table=table.name,
        severity=check.severity,
        success=True,
        observed=f"not evaluated: {check.not_applicable}",
        unexpected_count=0,
        reason=check.reason,
        applicable=False,
    )


def _outcome(check: Check, table: Table, entry: dict[str, Any], rows_named: int) -> Outcome:
    result = entry["result"]
    failed = not entry["success"]
    rows = check.rows or (_rows(check, table, result, rows_named) if failed else ())
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


def _rows(check: Check, table: Table, result: dict[str, Any], named: int) -> tuple[Row, ...]:
    """The first failing rows: those that hold one of the first failing values."""
    values = result.get("partial_unexpected_list") or []
    columns = _columns(check)
    if not values or not set(columns) <= set(table.frame.columns):
        return ()
    if len(columns) == 1:
        bad = table.frame[columns[0]].isin(values).to_numpy(bool)
    else:
        wanted = [tuple(v.values()) if isinstance(v, dict) else tuple(v) for v in values]
        bad = pd.MultiIndex.from_frame(table.frame[columns]).isin(wanted)
    shown = list(dict.fromkeys([*table.names_rows, *columns]))
    first = table.frame.loc[bad, [name for name in shown if name in table.frame]].head(named)
    return tuple(
        {str(key): _short(value) for key, value in row.items()} for row in first.to_dict("records")
    )


def _short(value: Any) -> Any:
    """A number as a person wants to read it: six digits."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _columns(check: Check) -> list[str]:
    named = [value for key, value in check.arguments.items() if key.startswith("column")]
    return [name for value in named for name in ([value] if isinstance(value, str) else value)]


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
    if gone := [column for column in _columns(check) if column not in table.frame.columns]:
        return f"could not be checked: column {', '.join(gone)} is missing"
    if failed:
        raise ThoraxError(f"{table.name}: Great Expectations could not check that {check.name}")
    return "nothing to check"
