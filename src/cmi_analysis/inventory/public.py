"""`propose_orders`: one frame of forecasts in, one frame of proposed orders out."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_path import KEY
from cmi_analysis.inventory.proposals import add_money, find_notes, fit_demand, fit_levels, limit, propose
from cmi_analysis.inventory.public_inputs import Value, check_forecasts, default_as_of, read_items, spread_lead_time
from cmi_analysis.inventory.targets import critical_ratio

STATUS = ("order", "no_order", "no_demand", "no_forecast", "not_possible", "cut", "wait", "not_worth_it")
"""What a row of `propose_orders` says of its item.

``not_possible``: the agreement or the shelf life lets no order through; ``cut``: budget or storage left nothing; ``wait``,
``not_worth_it``: with costs as the aim, the minimum makes the order so large that waiting, or being short, is cheaper.
"""
_ORDER = (
    *(*KEY, "status", "order_on", "arrives_on", "quantity", "need", "reason", "bound_by", "saved_units", "money_at_stake"),
    *("order_value", "cut_money", "choice", "choice_saving", "cover_days", "on_hand", "on_order", "position", "chance_short"),
    *("policy", "reorder_point", "order_quantity", "order_up_to_level", "safety_stock", "mean_demand", "mean_stock"),
    *("target", "measure", "promised", "cycle_service", "promised_by", "notes"),
)


def propose_orders(
    forecasts: pd.DataFrame,
    *,
    position: pd.DataFrame,
    lead_time: Value | pd.DataFrame,
    review_period: Value,
    holding_cost: Value = None,
    shortage_cost: Value = None,
    cycle_service: Value = None,
    shelf_fill: Value = None,
    fill: Value = None,
    order_cost: Value = 0.0,
    lost_sales: bool = False,
    minimum: Value = None,
    multiple: Value = None,
    maximum: Value = None,
    shelf_life_days: Value = None,
    unit_cost: Value = None,
    unit_margin: Value = None,
    unit_volume: Value = None,
    budget: float | None = None,
    storage: float | None = None,
    errors: pd.DataFrame | None = None,
    as_of: dt.date | None = None,
    frequency: str = "week",
    seed: int = 1,
) -> pd.DataFrame:
    """Return for each customer and product what to order, when, why, what limits it, and the service that is promised.

    The demand over lead time and review period is one distribution: the forecast's mean, the variance of its errors over blocks
    of that length (or of its interval), negative binomial or gamma, mixed over the lead times. The policy is an order-up-to
    level, or a reorder point where the economic or agreed quantity is more than a review period's demand. Order of events: orders
    due arrive; demand is met from stock; review at the end of the day; what is ordered on day t with lead time L is on the shelf
    before the demand of day t + L + 1, so an order protects L + R days.

    Parameters
    ----------
    forecasts : pandas.DataFrame
        customer_id, product_id, period (first day), mean [units]; optional q05, q95 [units], as from `forecast_demand`.
    position : pandas.DataFrame
        customer_id, product_id, on_hand [units]; optional on_order, backordered [units], order_weekdays, and columns of terms.
    lead_time : number, column of `position`, or pandas.DataFrame
        Days; a frame has days, probability and may have customer_id, product_id.
    review_period : number or column of `position`
        Days between two chances to order, 1 or more [days].
    holding_cost, shortage_cost, order_cost : number or column of `position`, optional
        Of a unit held for a year [money/unit/year], of a unit short [money/unit], of an order [money].
    cycle_service, shelf_fill : number or column of `position`, optional
        Service aimed at [fraction, between 0 and 1]. Just one of shortage_cost, cycle_service and shelf_fill.
    fill : number or column of `position`, optional
        The same as shelf_fill.
    lost_sales : bool
        Demand that is not met is lost: the shelf fill promised (and, if it is the aim, the level) is found by simulation.
    minimum, multiple, maximum : number or column of `position`, optional
        Least order, pack, and highest position of the agreement [units].
    shelf_life_days : number or column of `position`, optional
        Days from arrival to expiry; no order of which more than 5 % is expected to expire [days].
    unit_cost, unit_margin, unit_volume : number or column of `position`, optional
        Cost of a unit, money lost with a unit short (by default the shortage cost), space of a unit.
    budget, storage : float, optional
        What all orders together may cost [money] and take up; cut by whole packs so that the most shortage is saved.
    errors : pandas.DataFrame, optional
        Back-test errors: customer_id, product_id, origin_on, horizon [periods], actual, mean [units].
    as_of : datetime.date, optional
        Last day known; default the day before the first period.
    frequency : {"day", "week", "month"}
        Length of a period.
    seed : int
        Of the simulation of lost sales.

    Returns
    -------
    pandas.DataFrame
        One row an item, sorted by ids, no value missing: customer_id, product_id, status (`STATUS`), order_on, arrives_on,
        quantity, need [units], reason (``stocked_out``, ``below_lowest``, ``below_trigger`` or empty), bound_by (rule that set
        the quantity: ``need``, ``minimum``, ``multiple``, ``economic_quantity``, ``maximum``, ``shelf_life``, ``budget``,
        ``storage``, ``budget_and_storage``, ``no_benefit`` or empty), saved_units (kept from being short over L + R), cover_days,
        on_hand, on_order, position, policy, reorder_point, order_quantity, order_up_to_level, safety_stock [units], target,
        measure, promised (shelf fill;
        0 where nothing can ever be ordered), cycle_service [fraction], promised_by (``formula``, ``simulation``), chance_short
        (before an order can arrive) [fraction], mean_demand (over L + R), mean_stock [units], notes
        (``zero_lead_time``, ``one_demand``: just one in the errors, ``outlier``: an actual of the errors, left out, or a
        forecast, kept, of more than 100 times the usual, ``partial_forecast``: periods without one take the item's mean,
        ``at_maximum``). Where their costs are given: money_at_stake (saved_units at the margin), order_value, cut_money (of what
        budget or storage cut), choice, choice_saving (ordering now against waiting or never) [money].

    Raises
    ------
    InputError
        What is missing, negative or contradictory, with the item it was found in.

    Examples
    --------
    A steady 7 a week, nothing in stock, minimum 50 in packs of 12:

    >>> weeks = pd.DataFrame({"customer_id": "c", "product_id": "p", "mean": 7.0,
    ...     "period": pd.date_range("2024-07-01", periods=13, freq="W-MON")})
    >>> stock = pd.DataFrame({"customer_id": ["c"], "product_id": ["p"], "on_hand": [0.0]})
    >>> terms = {"lead_time": 7, "review_period": 7, "minimum": 50, "multiple": 12}
    >>> proposal = propose_orders(weeks, position=stock, cycle_service=0.95, **terms)
    >>> proposal["status"].tolist(), proposal["quantity"].tolist(), proposal["bound_by"].tolist()
    (['order'], [60.0], ['minimum'])
    """
    if fill is not None and shelf_fill is not None:
        raise InputError(expected="shelf_fill or fill", found="both", fix="Give one; they mean the same.")
    shelf_fill = fill if shelf_fill is None else shelf_fill
    numbers = {
        **{"review_period": review_period, "holding_cost": holding_cost, "shortage_cost": shortage_cost},
        **{"cycle_service": cycle_service, "shelf_fill": shelf_fill, "order_cost": order_cost, "minimum": minimum},
        **{"multiple": multiple, "maximum": maximum, "shelf_life_days": shelf_life_days, "unit_cost": unit_cost},
        **{"unit_margin": unit_margin, "unit_volume": unit_volume},
    }
    checked = check_forecasts(forecasts, frequency=frequency)
    rows, values, aim = read_items(checked, position=position, numbers=numbers)
    day = default_as_of(checked, as_of)
    lead_times = spread_lead_time(lead_time, rows=rows)
    plan = fit_demand(rows, checked, errors, numbers=values, lead_times=lead_times, as_of=day, frequency=frequency)
    policies, promised_by = fit_levels(plan, aim=aim, lost_sales=lost_sales, seed=seed)
    table = propose(plan, policies, as_of=day).assign(promised_by=promised_by, notes=find_notes(plan, checked, errors, policies))
    if aim == "shortage_cost":
        held = plan.number("holding_cost") * plan.number("review_period") / 365
        target = critical_ratio(shortage_cost=plan.number(aim), holding_cost=held)
        table = table.assign(target=target, measure="cycle_service")
    else:
        table = table.assign(target=plan.number(aim), measure=aim)
    table = add_money(limit(table, plan, budget=budget, storage=storage), plan, acts=aim == "shortage_cost")
    table = table.sort_values(KEY, kind="stable").reset_index(drop=True)
    return table[[name for name in _ORDER if name in table]]
