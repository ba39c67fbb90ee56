"""Tables of the performance review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cmi_analysis.displays.table import Table, table
from cmi_analysis.labels import Language, format_value, kpi_name, returned_word, text

_CONFIDENTIAL = ("gmroi", "carrying_cost", "cost_to_serve")


def table_scorecard(
    scorecard: pd.DataFrame,
    *,
    lang: Language = "en",
    audience: str = "internal",
    currency: str = "",
    stock_owner: str = "customer",
    lag: int | None = None,
) -> Table:
    """Return the scorecard; every value in its own unit, a value without enough cases stays unmarked with its n.

    Parameters
    ----------
    scorecard : DataFrame
        Columns kpi, echelon, unit, value, last_year, target, source, status, n, low, high, basis.
    lang, audience, currency
        Language, reader and currency; a client sees no figure at our cost or margin.
    stock_owner : {"customer", "supplier"}
        Whose stock is valued; excess at our cost is not for clients.
    lag : int, optional
        Lag of the customers' forecasts [periods], named with their figures.
    """
    rows = scorecard.copy()
    if audience == "client":
        hidden = [*_CONFIDENTIAL, *(["excess_value"] if stock_owner == "supplier" else [])]
        rows = rows[~rows["kpi"].isin(hidden)]

    def shown(column: str) -> list[str]:
        return [format_value(v, kind, lang, currency=currency) for v, kind in zip(rows[column], rows["unit"], strict=True)]

    ends = zip(shown("low"), shown("high"), rows["low"].isna(), strict=True)
    rows = rows.assign(
        kpi_name=[kpi_name(kpi, lang, lag=lag) for kpi in rows["kpi"]],
        shown_value=shown("value"),
        shown_last_year=shown("last_year"),
        shown_target=shown("target"),
        interval=["" if unknown else f"{low} – {high}" for low, high, unknown in ends],
        goal_source=[text(f"performance.source.{name}", lang) if name else "" for name in rows["source"]],
        kpi_basis=[text(f"performance.basis.{name}", lang) if name else "" for name in rows["basis"]],
    )
    columns = [
        "kpi_name",
        "echelon",
        "shown_value",
        "shown_last_year",
        "shown_target",
        "goal_source",
        "interval",
        "n",
        "kpi_basis",
    ]
    kinds = {"echelon": "word:performance.echelon", "n": "count"}
    headers = {"kpi_basis": text("column.basis_of_figure", lang)}
    marks = {"shown_value": "status"}
    return table(rows, columns=columns, kinds=kinds, lang=lang, currency=currency, limit=40, highlight=marks, headers=headers)


def table_fill_gap(fill_gap: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return the parts of the units ordered and due: cause, units, share, lines."""
    rows = fill_gap.rename(columns={"lines": "order_lines", "share": "part"})
    kinds = {"cause": "word:performance.bar", "units": "quantity", "part": "rate", "order_lines": "count"}
    headers = {"part": text("column.part", lang)}
    return table(rows, columns=["cause", "units", "part", "order_lines"], kinds=kinds, lang=lang, headers=headers)


def table_otif_sites(otif_sites: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return OTIF by customer, most failed lines first."""
    rows = otif_sites.rename(columns={"value": "otif", "open_lines": "overdue_lines", "open_units": "overdue_units"})
    kinds = {"otif": "rate", "low": "rate", "high": "rate", "n": "count", "failed": "count", "overdue_lines": "count",
             "overdue_units": "quantity"}  # fmt: skip
    columns = [*_who(rows), "otif", "low", "high", "n", "failed", "overdue_lines", "overdue_units"]
    return table(rows, columns=columns, kinds=kinds, lang=lang)


def _who(rows: pd.DataFrame) -> list[str]:
    """Return the columns that name a customer: its id only where that is not its name."""
    same = "customer_name" in rows and (rows["customer_name"].astype(str) == rows["customer_id"].astype(str)).all()
    return ["customer_name"] if same else ["customer_name", "customer_id"]


def table_turns(turns: pd.DataFrame, *, lang: Language = "en", audience: str = "internal", currency: str = "") -> Table:
    """Return turns and days of stock by customer, slowest first; the stock at our cost is for internal readers."""
    columns = [*_who(turns), "turns", "dio", *(["stock_worth"] if audience == "internal" else []), "n"]
    kinds = {"turns": "ratio", "dio": "days", "stock_worth": "money" if currency else "quantity", "n": "count"}
    headers = {} if currency else {"stock_worth": text("column.mean_stock_units", lang)}
    return table(turns, columns=columns, kinds=kinds, lang=lang, currency=currency, headers=headers)


def table_excess(
    excess_items: pd.DataFrame,
    *,
    lang: Language = "en",
    audience: str = "internal",
    currency: str = "",
    money: bool = True,
    stock_owner: str = "customer",
) -> Table:
    """Return the items with excess, largest first; money at our cost is for internal readers."""
    rows = excess_items.copy()
    for name in ("customer_name", "product_name"):
        if name not in rows:
            rows[name] = rows[name.replace("_name", "_id")]
    kind = "money" if money else "quantity"
    hidden = audience == "client" and stock_owner == "supplier"
    columns = [
        "customer_name",
        "product_name",
        "product_id",
        "on_hand",
        *([] if hidden else ["worth", "excess"]),
        "days_since_use",
    ]
    kinds = {"on_hand": "quantity", "worth": kind, "excess": kind, "days_since_use": "days"}
    return table(rows, columns=columns, kinds=kinds, lang=lang, currency=currency)


def table_returns(returns: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return the units returned by reason."""
    rows = returns.rename(columns={"lines": "return_lines", "share": "part"})
    rows = rows.assign(
        reason=[returned_word(str(name), lang) or text("performance.orders.no_reason", lang) for name in rows["reason"]]
    )
    kinds = {"units": "quantity", "part": "rate", "return_lines": "count"}
    headers = {"part": text("column.part", lang)}
    return table(rows, columns=["reason", "units", "part", "return_lines"], kinds=kinds, lang=lang, headers=headers)


def table_collaboration(
    collaboration: pd.DataFrame, *, lang: Language = "en", settings: Mapping[str, Any] | None = None
) -> Table:
    """Return data sharing, conversion, forecast error and bullwhip by customer; the caption names lag and window."""
    about = settings or {}
    ends = {"start": str(about.get("window_start", "")), "end": str(about.get("as_of", ""))}
    caption = text("performance.collaboration.caption", lang, lag=str(about["forecast_lag"]), **ends) if about else ""
    columns = [*_who(collaboration), "sharing", "forecast_conversion", "wape", "wape_naive", "bias", "n", "bullwhip"]
    kinds = dict.fromkeys(("sharing", "forecast_conversion", "wape", "wape_naive"), "rate")
    kinds |= {"bias": "signed_rate", "n": "count", "bullwhip": "ratio"}
    return table(collaboration, columns=columns, kinds=kinds, lang=lang, caption=caption)


def table_outcomes(outcomes: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return what became of earlier proposals and alerts."""
    rows = outcomes.rename(columns={"share": "part", "what": "said"})
    kinds = {"said": "word:performance.what", "outcome": "word:performance.outcome", "cases": "count", "part": "rate"}
    headers = {"part": text("column.part", lang)}
    return table(rows, columns=["said", "outcome", "cases", "part"], kinds=kinds, lang=lang, headers=headers)
