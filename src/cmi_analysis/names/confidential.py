"""What a client must not see: columns, whole frames and tables, KPIs and parameters.

The client edition shows no cost, margin, priority, allocation rule or supplier, nor our worry about losing the customer.
"""

from __future__ import annotations

from collections.abc import Iterable

from cmi_analysis.names.contract import NAMES
from cmi_analysis.names.results import RESULT_NAMES

INTERNAL_TABLES = frozenset(
    {"costs", "purchase_orders", "receipts", "supplier_products", "suppliers", "transfers", "warehouse_stock", "warehouses"}
)
"""Tables of the contract that are ours alone."""

_INTERNAL_FRAMES = frozenset(
    {
        "segmentation.leaving",
        "segmentation.lifetimes",
        "segmentation.treatment",
        "segmentation.whale",
        "inventory_policy.allocation",
        "inventory_policy.suppliers",
        "performance_review.tie_out",
    }
)
_SHOWN = frozenset({"forecasting.drivers.effect"})  # the effect of a season or a promotion on demand, not on our profit

CONFIDENTIAL_KPIS = frozenset(
    {
        "carrying_cost",
        "cost_to_serve",
        "customers_at_risk",
        "customers_overdue",
        "gmroi",
        "source_hhi",
        "stockout_at_risk",
        "stockout_value",
        "value_at_risk",
        "value_at_risk_share",
    }
)
"""KPIs made of cost, margin, suppliers, or of what we fear to lose."""

AT_COST_KPIS = frozenset({"dio", "turns"})
"""KPIs that a client may see and whose numerator and denominator are sums at our cost."""

_COSTS = frozenset({"budget", "holding_rate", "order_cost", "pick_cost", "return_cost", "shortage_cost"})  # values of costs.cost
_PARAM_WORDS = ("holding_rate", "order_cost", "shortage_cost", "transfer_cost", "margin", "priority", "allocation")


def is_confidential(column: str) -> bool:
    """Tell whether `column` (or a cost or KPI of that name) must not reach a client.

    Examples
    --------
    >>> is_confidential("unit_cost"), is_confidential("on_hand"), is_confidential("margin")
    (True, False, True)
    """
    known = NAMES.get(column) or RESULT_NAMES.get(column)
    return column in _COSTS or column in CONFIDENTIAL_KPIS or (known is not None and known.confidential)


def is_confidential_param(name: str) -> bool:
    """Tell whether a parameter's value must not reach a client.

    Examples
    --------
    >>> is_confidential_param("assumed_holding_rate"), is_confidential_param("horizon")
    (True, False)
    """
    return is_confidential(name) or any(word in name for word in _PARAM_WORDS)


def is_internal_frame(frame: str) -> bool:
    """Tell whether the published frame `frame` (``<notebook>.<frame>``) is for us alone.

    Examples
    --------
    >>> is_internal_frame("inventory_policy.allocation"), is_internal_frame("inventory_policy.policies")
    (True, False)
    """
    return frame in _INTERNAL_FRAMES


def shown_columns(frame: str, columns: Iterable[str]) -> list[str]:
    """Return the columns of the published frame `frame` that a client may see.

    Examples
    --------
    >>> shown_columns("inventory_policy.proposals", ["quantity", "effect"])
    ['quantity']
    >>> shown_columns("forecasting.drivers", ["driver", "effect"])
    ['driver', 'effect']
    """
    return [name for name in columns if f"{frame}.{name}" in _SHOWN or not is_confidential(name)]
