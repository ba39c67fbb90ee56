"""Tables of the forecasting report."""

from __future__ import annotations

import pandas as pd

from cmi_analysis.displays.table import Table, table
from cmi_analysis.labels import Language, format_value, text

_ITEM = ["customer_name", "product_name"]
_FAR = 20  # standard deviations beyond which the number itself says nothing


def table_next_periods(items: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return the demand expected up to the decision, with its interval, largest items first."""
    rows = items.sort_values(["next", "customer_id", "product_id"], ascending=[False, True, True], kind="stable")
    kinds = dict.fromkeys(["next", "next_low", "next_high"], "quantity") | {"model": "word:forecasting.model"}
    columns = [*_ITEM, "next", "next_low", "next_high", "model"]
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=text("forecasting.table.next", lang), limit=10)


def table_moves(moves: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return what both runs say of the same periods of each item and why it moved, the largest moves first."""
    rows = moves[moves["cause"] != "unmoved"]
    kinds = dict.fromkeys(["expected_then", "expected_now", "sold_since", "said_since"], "quantity")
    kinds |= {"moved": "signed_quantity", "cause": "word:forecasting.cause"}
    columns = [*_ITEM, "expected_then", "expected_now", "moved", "cause", "said_since", "sold_since"]
    caption = text("forecasting.table.moves", lang)
    headers = {"cause": text("forecasting.header.cause", lang)}
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=caption, limit=10, headers=headers)


def table_breakdown(breakdown: pd.DataFrame, *, frequency: str, lag: int, lang: Language = "en") -> Table:
    """Return the accuracy of the forecast used, by periods ahead (1, the decision's, half of all, all), pattern and segment."""
    ahead = breakdown["split"].isin(["horizon", "sum"])
    most = breakdown.loc[ahead, "cell"].astype("int64").max() if ahead.any() else 1
    shown = {str(lead) for lead in (1, lag, (most + 1) // 2, most)}
    rows = breakdown[~ahead | breakdown["cell"].isin(shown)]
    rows = rows[~((rows["split"] == "sum") & (rows["cell"] == "1"))]
    said = [_cell(split, cell, frequency=frequency, lang=lang) for split, cell in zip(rows["split"], rows["cell"], strict=True)]
    rows = rows.assign(cell=pd.Series(said, index=rows.index, dtype=object))
    kinds = {"split": "word:forecasting.split", "n": "count", "bias": "signed_rate", "mase": "ratio", "rmsse": "ratio"}
    kinds |= dict.fromkeys(["wape", "pinball_80", "pinball_95", "coverage"], "rate")
    columns = ["split", "cell", "n", "wape", "bias", "mase", "rmsse", "pinball_80", "pinball_95", "coverage"]
    caption = text("forecasting.table.breakdown", lang)
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=caption, limit=40, headers=_headers(lang))


def _cell(split: str, cell: str, *, frequency: str, lang: Language) -> str:
    if split in ("horizon", "sum"):
        key = "period_one" if cell == "1" else "periods"
        return text(f"forecasting.{key}.{frequency}", lang, n=cell)
    return text(f"forecasting.pattern.{cell}" if split == "pattern" else f"segmentation.segment.{cell}", lang)


def table_value_added(accuracy: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return accuracy and value added of each step, for the sum up to the decision and the single period."""
    order = {"sum": 0, "lag": 1}
    rows = accuracy.assign(order=accuracy["measure"].map(order)).sort_values(["scope", "order"], kind="stable")
    naive = rows["step"] == "naive"  # what the others are held against: it adds nothing to itself
    rows = rows.assign(**{name: rows[name].mask(naive) for name in ("value_added", "low", "high")})
    kinds = {"step": "word:forecasting.model", "scope": "word:forecasting.scope", "measure": "word:forecasting.measure"}
    kinds |= {"n": "count", "wape": "rate", "bias": "signed_rate", "mase": "ratio"}
    kinds |= dict.fromkeys(["value_added", "low", "high"], "points")
    columns = ["step", "measure", "scope", "n", "wape", "bias", "mase", "value_added", "low", "high"]
    caption = text("forecasting.table.accuracy", lang)
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=caption, limit=20, headers=_headers(lang))


def table_customer_forecasts(customers: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return each customer's own forecast beside ours, largest customers first."""
    rows = customers.sort_values(["demand", "customer_id"], ascending=[False, True], kind="stable")
    kinds = dict.fromkeys(["wape_customer", "wape_statistical", "wape_combined"], "rate") | {"bias_customer": "signed_rate"}
    kinds |= {"n": "count", "trust": "word:forecasting.trust"} | dict.fromkeys(["value_added", "low", "high"], "points")
    columns = [
        "customer_name",
        "n",
        "wape_customer",
        "bias_customer",
        "wape_statistical",
        "wape_combined",
        "low",
        "high",
        "trust",
    ]
    caption = text("forecasting.table.customers", lang)
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=caption, headers=_headers(lang))


def table_drivers(drivers: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return the effects of season, year and promotion."""
    month = [text(f"forecasting.month.{int(value)}", lang) if pd.notna(value) else "" for value in drivers["season"]]
    rows = drivers.assign(season=month)
    kinds = {"driver": "word:forecasting.driver"} | dict.fromkeys(["effect", "low", "high"], "signed_rate")
    columns = ["driver", "category", "season", "effect", "low", "high"]
    caption = text("forecasting.table.drivers", lang)
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=caption, headers=_headers(lang))


def table_outliers(outliers: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return single periods far outside what was expected."""
    far = text("forecasting.header.far", lang)
    said = [far if abs(value) > _FAR else format_value(value, "ratio", lang) for value in outliers["deviations"]]
    outliers = outliers.assign(deviations=pd.Series(said, index=outliers.index, dtype=object))
    kinds = {"period": "date", "actual": "quantity", "mean": "quantity"}
    columns = [*_ITEM, "period", "actual", "mean", "deviations"]
    return table(outliers, columns=columns, kinds=kinds, lang=lang, caption=text("forecasting.table.outliers", lang), limit=10)


def table_monitoring(monitoring: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return the items whose level changed or whose forecast drifts off, by what it moved per period, the most first."""
    rows = monitoring[monitoring["reason"] != ""]
    rows = rows.assign(size=(rows["level_after"] - rows["level_before"]).abs())
    rows = rows.sort_values(["size", "customer_id", "product_id"], ascending=[False, True, True], kind="stable")
    kinds = {"reason": "word:forecasting.monitoring", "changed_on": "date", "tracking_signal": "ratio"}
    kinds |= {"level_before": "quantity", "level_after": "quantity"}
    columns = [*_ITEM, "reason", "changed_on", "level_before", "level_after", "tracking_signal"]
    headers = {"reason": text("forecasting.header.happened", lang)}
    caption = text("forecasting.table.monitoring", lang)
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=caption, limit=8, headers=headers)


def table_doubtful(items: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return the items whose forecast should not be trusted, with model and reason, largest first."""
    rows = items[items["doubt"] != ""]
    rows = rows.sort_values(["next", "customer_id", "product_id"], ascending=[False, True, True], kind="stable")
    kinds = {name: f"word:forecasting.{name}" for name in ("pattern", "model", "reason", "doubt")}
    kinds |= {"next": "quantity", "wape": "rate", "bias": "signed_rate"}
    columns = [*_ITEM, "doubt", "pattern", "next", "wape", "bias", "model", "reason"]
    caption = text("forecasting.table.doubt", lang)
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=caption, limit=12, headers=_headers(lang))


def table_life_cycle(life: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return new, ending and dead items."""
    kinds = {"state": "word:forecasting.state", "first_on": "date", "last_on": "date", "recent": "quantity", "next": "quantity"}
    columns = [*_ITEM, "state", "first_on", "last_on", "recent", "next"]
    return table(life, columns=columns, kinds=kinds, lang=lang, caption=text("forecasting.table.life", lang))


def table_coverage(coverage: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return how often demand lay inside the interval, by demand pattern."""
    rows = coverage.assign(pattern=coverage["pattern"].where(coverage["pattern"] != "", "all"))
    kinds = {"pattern": "word:forecasting.pattern", "measure": "word:forecasting.measure", "n": "count"}
    kinds |= {"coverage": "rate", "below_high": "rate"}
    columns = ["pattern", "measure", "n", "coverage", "below_high"]
    caption = text("forecasting.table.coverage", lang)
    return table(rows, columns=columns, kinds=kinds, lang=lang, caption=caption, headers=_headers(lang))


def table_levels(levels: pd.DataFrame, *, lang: Language = "en") -> Table:
    """Return the forecast of each level over the horizon, by itself and reconciled, and how good both were."""
    kinds = {"total_level": "word:forecasting.level", "nodes": "count"}
    kinds |= dict.fromkeys(["base", "mean", "low", "high"], "quantity")
    kinds |= dict.fromkeys(["wape_base", "wape"], "rate") | dict.fromkeys(["bias_base", "bias"], "signed_rate")
    columns = ["total_level", "nodes", "base", "mean", "low", "high", "wape_base", "wape", "bias_base", "bias"]
    headers = {name: text(f"forecasting.header.{name}", lang) for name in ("low", "high")}
    return table(levels, columns=columns, kinds=kinds, lang=lang, caption=text("forecasting.table.levels", lang), headers=headers)


def _headers(lang: Language) -> dict[str, str]:
    """Headers of columns that mean something narrower here than in the data contract."""
    names = ("pattern", "measure", "effect", "reason", "next", "low", "high")
    narrow = {name: text(f"forecasting.header.{name}", lang) for name in names}
    return narrow | {"n": text("column.forecasts_scored", lang)}
