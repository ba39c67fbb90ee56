"""The KPI catalogue: id, unit, direction, grain, what it needs, least number of cases, source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cmi_analysis.errors import ParameterError

Direction = Literal["higher", "lower", "band"]


@dataclass(frozen=True)
class Kpi:
    """One KPI of the catalogue; name and formula are the texts ``kpi.<id>.name`` and ``kpi.<id>.formula``.

    Attributes
    ----------
    id : str
        Name in code, files and reports.
    kind : str
        Kind for `labels.format_value`: ``rate``, ``days``, ``ratio``, ``money``, ``quantity``.
    direction : {"higher", "lower", "band"}
        Which way is better.
    echelon : {"site", "warehouse"}
        Whose service or stock is measured; the two are never averaged.
    grain : str
        What one case is: line, order, item-day, …
    needs : tuple of str
        Tables, or ``table.column``, without which it cannot be computed.
    minimum_n : int
        Fewer cases: shown grey with n, never coloured.
    source : str
        Where the definition comes from.
    computed : bool
        Whether `score_kpis` computes it; the others are defined only and appear in no report.
    share : bool
        Whether it is a share between 0 and 1.
    """

    id: str
    kind: str
    direction: Direction
    echelon: str
    grain: str
    needs: tuple[str, ...]
    minimum_n: int
    source: str
    computed: bool = True
    share: bool = True


_FILL = "Boylan and Syntetos (2021), Intermittent Demand Forecasting, ch. 3"
_OTIF = "own rule; SCOR DS RL.1.1 as cross-reference"
_STOCK = "Silver, Pyke and Thomas (2017), Inventory and Production Management, ch. 2"
_FORECAST = "Hyndman and Athanasopoulos (2021), Forecasting: Principles and Practice, 5.8"
_DUE = ("orders.quantity_ordered", "orders.delivered_on")

_CATALOGUE = (
    Kpi("order_fill", "rate", "higher", "warehouse", "line", _DUE, 20, _FILL),
    Kpi("shelf_fill", "rate", "higher", "site", "item-period", ("sales", "stock"), 20, _FILL),
    Kpi("delivered_share", "rate", "higher", "warehouse", "line", ("orders.quantity_ordered",), 20, "own rule", share=False),
    Kpi("on_time", "rate", "higher", "warehouse", "line", _DUE, 20, _OTIF),
    Kpi("in_full", "rate", "higher", "warehouse", "line", _DUE, 20, _OTIF),
    Kpi("otif", "rate", "higher", "warehouse", "line", _DUE, 20, _OTIF),
    Kpi("perfect_order", "rate", "higher", "warehouse", "order", (*_DUE, "orders.documents_ok"), 20, "SCOR DS RL.1.1"),
    Kpi("in_stock_rate", "rate", "higher", "site", "item-day", ("stock",), 50, _STOCK),
    Kpi("cycle_service", "rate", "higher", "site", "cycle", ("stock.received",), 20, _STOCK),
    Kpi("order_cycle_time", "days", "lower", "warehouse", "line", _DUE, 20, "SCOR DS RS.1.1", share=False),
    Kpi("order_accuracy", "rate", "higher", "warehouse", "line", ("orders.picking_error",), 20, "own rule"),
    Kpi("return_rate", "rate", "lower", "warehouse", "shipped line", ("orders", "returns"), 20, "own rule"),
    Kpi("csat", "rate", "higher", "warehouse", "answer", ("feedback.score",), 30, "Wilson (1927) for the interval"),
    Kpi("nps", "points", "higher", "warehouse", "answer", ("feedback.score",), 30, "Reichheld (2003)", share=False),
    Kpi("turns", "ratio", "higher", "site", "item snapshot", ("sales", "stock"), 20, _STOCK, share=False),
    Kpi("dio", "days", "band", "site", "item snapshot", ("sales", "stock"), 20, _STOCK, share=False),
    Kpi("cover", "days", "band", "site", "item", ("stock", "forecasts"), 1, _STOCK, computed=False, share=False),
    Kpi("gmroi", "ratio", "higher", "site", "item snapshot", ("sales", "stock", "products.unit_cost"), 20, _STOCK, share=False),
    Kpi("excess_value", "money", "lower", "site", "item", ("sales", "stock"), 5, "own rule", share=False),
    Kpi("slow", "money", "lower", "site", "item", ("sales", "stock", "forecasts"), 5, "own rule", computed=False, share=False),
    Kpi(
        "obsolete", "money", "lower", "site", "item", ("sales", "stock", "forecasts"), 5, "own rule", computed=False, share=False
    ),
    Kpi("stockout_value", "money", "lower", "site", "item", ("stock", "forecasts"), 1, "own rule", computed=False, share=False),
    Kpi("carrying_cost", "money", "lower", "site", "item snapshot", ("stock", "products.unit_cost"), 20, _STOCK, share=False),
    Kpi("stock_accuracy", "rate", "higher", "site", "count", ("stock.counted",), 20, "own rule", share=False),
    Kpi("wape", "rate", "lower", "site", "item-period", ("sales", "customer_forecasts"), 20, _FORECAST, share=False),
    Kpi("bias", "points", "band", "site", "item-period", ("sales", "customer_forecasts"), 20, _FORECAST, share=False),
    Kpi("mase", "ratio", "lower", "site", "series", ("forecasts",), 1, "Hyndman and Koehler (2006)", computed=False, share=False),
    Kpi("rmsse", "ratio", "lower", "site", "series", ("forecasts",), 1, "M5 guidelines (2020)", computed=False, share=False),
    Kpi(
        "pinball",
        "quantity",
        "lower",
        "site",
        "series",
        ("forecasts",),
        1,
        "Koenker and Bassett (1978)",
        computed=False,
        share=False,
    ),
    Kpi("fva", "points", "higher", "site", "item-period", ("sales", "customer_forecasts"), 20, "Gilliland (2010)", share=False),
    Kpi(
        "forecast_conversion",
        "rate",
        "band",
        "warehouse",
        "item-period",
        ("orders", "customer_forecasts"),
        20,
        "own rule",
        share=False,
    ),
    Kpi("bullwhip", "ratio", "lower", "warehouse", "period", ("orders", "sales"), 26, "Fransoo and Wouters (2000)", share=False),
    Kpi("sharing", "rate", "higher", "site", "delivery of data", ("feeds",), 5, "own rule"),
    Kpi("lead_time", "days", "lower", "warehouse", "line", _DUE, 20, "Kaplan and Meier (1958)", share=False),
    Kpi("source_hhi", "rate", "lower", "warehouse", "receipt", ("receipts.supplier_id",), 5, "Herfindahl (1950)", share=False),
    Kpi("cost_to_serve", "money", "lower", "warehouse", "order", ("orders", "costs"), 20, "own rule", share=False),
)
KPIS: dict[str, Kpi] = {kpi.id: kpi for kpi in _CATALOGUE}
# results that belong to a KPI and share its definition: value in another statistic, or a second reading on the same rows
COMPANIONS = {
    "order_cycle_time_median": "order_cycle_time",
    "order_cycle_time_p90": "order_cycle_time",
    "wape_naive": "wape",
    "lead_time_p95": "lead_time",
}


def find_kpi(name: str) -> Kpi:
    """Return the catalogue's entry of a KPI or of one of its companions.

    Raises
    ------
    ParameterError
        The name is not in the catalogue.

    Examples
    --------
    >>> find_kpi("otif").echelon, find_kpi("order_cycle_time_p90").kind
    ('warehouse', 'days')
    """
    known = KPIS.get(COMPANIONS.get(name, name))
    if known is None:
        raise ParameterError(expected=f"one of the KPIs {', '.join(sorted(KPIS))}", found=f"'{name}'", fix="Correct the name.")
    return known
