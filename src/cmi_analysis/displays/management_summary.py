"""Tables of the management summary."""

from __future__ import annotations

import pandas as pd

from cmi_analysis.displays.table import Table, table
from cmi_analysis.labels import Language, format_value, text

_NOTEBOOK = "word:management_summary.notebook"


def table_ranking(ranking: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return all groups, worst first, with what their worst report says."""
    rows = ranking.rename(columns={"title": "group_title", "notebook": "report_name", "as_of": "data_until"})
    rows = rows.assign(mean_miss=ranking["score"].astype(float) / 100)
    columns = ["group_title", "mean_miss", "misses", "rated", "report_name", "headline", "data_until"]
    kinds = {"mean_miss": "rate", "misses": "count", "rated": "count", "report_name": _NOTEBOOK, "data_until": "date"}
    headers = {"data_until": text("column.data_until", lang)}
    return table(rows, columns=columns, kinds=kinds, lang=lang, limit=None, highlight={"group_title": "status"}, headers=headers)


def table_group_kpis(group_kpis: pd.DataFrame, *, lang: Language = "en", currency: str = "") -> Table:
    """Return one row per group and one column per KPI, in the order of the ranking."""
    keys = list(dict.fromkeys(group_kpis["key"])) if len(group_kpis) else []
    titles = list(dict.fromkeys(group_kpis["title"])) if len(group_kpis) else []
    rows = pd.DataFrame({"group_title": titles})
    for key in keys:
        part = group_kpis[group_kpis["key"] == key].drop_duplicates("title").set_index("title")
        shown = {r.Index: format_value(r.value, r.kind, lang, currency=currency) for r in part.itertuples()}
        rows[key] = [shown.get(title, format_value(None)) for title in titles]
        rows[f"{key}_status"] = [part["status"].get(title, "none") for title in titles]
    headers = {key: text(f"kpi.{key}.name", lang) for key in keys}
    marks = {key: f"{key}_status" for key in keys}
    return table(rows, columns=["group_title", *keys], lang=lang, limit=None, headers=headers, highlight=marks)


def table_group_actions(actions: pd.DataFrame, *, lang: Language = "en", currency: str = "") -> Table:
    """Return the first actions over all groups: profit effect, our cash and the customer's cash in columns of their own."""
    names = {"title": "group_title", "text": "action_text", "who": "who_decides", "due_on": "by_date", "effect": "profit_effect",
             "cash_ours": "our_cash", "cash_customer": "customer_cash", "otherwise": "if_nothing"}  # fmt: skip
    rows = actions.rename(columns=names)
    kinds = dict.fromkeys(("profit_effect", "our_cash", "customer_cash"), "signed_money")
    return table(rows, columns=list(names.values()), kinds=kinds, lang=lang, currency=currency, limit=None)


def table_changes(changes: pd.DataFrame, *, lang: Language = "en", currency: str = "") -> Table:
    """Return the figures that changed since the run before."""

    def shown(column: str) -> list[str]:
        return [format_value(v, kind, lang, currency=currency) for v, kind in zip(changes[column], changes["kind"], strict=True)]

    rows = changes.rename(columns={"title": "group_title", "notebook": "report_name"}).assign(
        kpi_name=[text(f"kpi.{key}.name", lang) for key in changes["key"]],
        shown_before=shown("before"),
        shown_value=shown("value"),
    )
    columns = ["kpi_name", "group_title", "report_name", "shown_before", "shown_value"]
    return table(
        rows, columns=columns, kinds={"report_name": _NOTEBOOK}, lang=lang, limit=20, highlight={"shown_value": "verdict"}
    )


def table_health(runs: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return what became of each report of the run, failed ones first."""
    marks = runs["state"].map({"failed": "bad"}).fillna("")
    names = {"title": "group_title", "notebook": "report_name", "state": "run_state", "cause": "run_cause"}
    rows = runs.rename(columns=names).assign(mark=marks)
    kinds = {"report_name": _NOTEBOOK, "run_state": "word:management_summary.state"}
    return table(rows, columns=list(names.values()), kinds=kinds, lang=lang, limit=40, highlight={"run_state": "mark"})
