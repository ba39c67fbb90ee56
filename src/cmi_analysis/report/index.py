"""The index of all reports: internal, worst first, with what became of each in the last run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cmi_analysis.labels import Language
from cmi_analysis.report.index_page import render_index
from cmi_analysis.report.jobs import Outcome
from cmi_analysis.report.publish import write_atomic
from cmi_analysis.stages.opening import Prepared
from cmi_analysis.stages.published import read_records, report_folder
from cmi_analysis.tables.hashing import safe_name

_VERDICTS = ("bad", "warn", "good", "none")


def index_rows(shared: Prepared, *, outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Return one row per group: its last good reports and what became of each in this run, worst first."""
    records: dict[str, dict[str, Any]] = {}
    for record in read_records(shared.project.reports):
        records.setdefault(record["group"], {})[record["notebook"]] = record
    now: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        if outcome.group:
            now.setdefault(outcome.group, {})[outcome.notebook] = outcome
    rows = []
    places = summary_ranking(shared.project.reports)
    for group in sorted({*records, *now}):
        reports = records.get(group, {})
        main = reports.get("performance_review") or next(iter(reports.values()), None)
        page = main["page"] if main else {}
        title = shared.groups[group].title if group in shared.groups else group
        rows.append(
            {
                "group": group,
                "title": title,
                "folder": safe_name(group),
                "status": page.get("status", "none"),
                "badness": page.get("badness", 0.0),
                "headline": page.get("headline", ""),
                "cards": page.get("cards", []),
                "currency": page.get("currency", ""),
                "audience": page.get("audience", ""),
                "workbook": (report_folder(shared.project.reports, group) / "workbook.xlsx").exists(),
                "reports": [
                    {
                        "notebook": name,
                        "as_of": reports[name]["as_of"] if name in reports else "",
                        "published": name in reports,
                        "state": now.get(group, {})[name].state if name in now.get(group, {}) else "kept",
                        "cause": now.get(group, {})[name].cause if name in now.get(group, {}) else "",
                    }
                    for name in sorted({*reports, *now.get(group, {})})
                ],
            }
        )
    return worst_first(rows, places=places)


def worst_first(rows: Iterable[dict[str, Any]], *, places: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the rows by place; groups without one follow, by verdict, then by badness."""

    def order(row: dict[str, Any]) -> tuple[int, int, float, str]:
        verdict = _VERDICTS.index(row.get("status") or "none")
        return places.get(row["group"], len(places)), verdict, -float(row.get("badness") or 0), str(row["group"])

    return sorted(rows, key=order)


def summary_ranking(reports: Path) -> dict[str, int]:
    """Return group -> place in the management summary's ranking, so that index and summary name the same group first."""
    path = reports / "latest" / "tables" / "management_summary.ranking.parquet"
    if not path.exists():
        return {}
    return {str(group): place for place, group in enumerate(pd.read_parquet(path, columns=["group"])["group"])}


def write_index(
    reports: Path,
    *,
    shared: Prepared,
    outcomes: Iterable[Outcome],
    run_folder: Path,
    seconds: Mapping[str, float],
    lang: Language | None = None,
) -> Path:
    """Write ``latest/index.html`` in the language of the run, else of base.yml, and return its path."""
    outcomes = list(outcomes)
    rows = index_rows(shared, outcomes=outcomes)
    lang = lang or shared.project.base().sections["common"].get("lang", "en")
    run = {
        "name": run_folder.name,
        "as_of": shared.as_of.isoformat(),
        "counts": {state: sum(o.state == state for o in outcomes) for state in ("new", "unchanged", "failed")},
        "seconds": dict(seconds),
        "age_days": (dt.datetime.now(dt.UTC).date() - shared.as_of).days,
        "summary": (reports / "latest" / "management_summary.html").exists(),
    }
    path = reports / "latest" / "index.html"
    write_atomic(path, render_index(rows, lang=lang, run=run).encode())
    return path
