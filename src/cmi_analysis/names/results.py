"""Columns of results that the data contract does not have, and what a contract's name means in a result where it differs."""

from __future__ import annotations

from collections.abc import Mapping

from cmi_analysis.names.contract import NAMES
from cmi_analysis.names.name import Name
from cmi_analysis.names.results_forecasting import FORECASTING_NAMES
from cmi_analysis.names.results_inventory import INVENTORY_NAMES
from cmi_analysis.names.results_segmentation import SEGMENTATION_NAMES

_UNITS, _FRACTION, _MONEY = "units", "fraction", "money"

RESULT_NAMES: Mapping[str, Name] = {
    # what many results share
    "echelon": Name("text", "", "whose stock or service: site (the customer's), warehouse (ours)"),
    "n": Name("count", "cases", "cases behind the figure"),
    "items": Name("count", "items", "items: a customer's products"),
    "series": Name("count", "series", "series: a customer's products with their demand"),
    "customers": Name("count", "customers", "customers"),
    "products": Name("count", "products", "products"),
    "orders": Name("count", "orders", "orders in the window"),
    "lines": Name("count", "lines", "order lines"),
    "cases": Name("count", "cases", "things said in an earlier run that have come of age"),
    "units": Name("quantity", _UNITS, "units ordered in the window; of a cause or reason its own units"),
    "low": Name("number", "as the figure beside it", "lower end of the interval"),
    "high": Name("number", "as the figure beside it", "upper end of the interval"),
    "change": Name(
        "number",
        "fraction",
        "change against the time before; in the sensitivity the name of what is changed; in monitoring up, down or empty",
    ),
    "source": Name("text", "", "where the target comes from: contracts, targets, a parameter (empty)"),
    "origin": Name("date", "", "newest day known when the forecast was made"),
    "as_of": Name("date", "", "nothing later was known"),
    "title": Name("text", "", "display name of the report group"),
    # segmentation: purchases of a customer
    "first_order_on": Name("date", "", "first order seen"),
    "last_order_on": Name("date", "", "last order"),
    "days_since_last_order": Name("count", "days", "days from the last order to as_of"),
    "tenure_days": Name("count", "days", "days from the first order seen to as_of"),
    "tenure_known": Name("flag", "", "whether the first order seen is the first one ever"),
    "returned_value": Name("money", _MONEY, "value of returned goods"),
    "orders_previous": Name("count", "orders", "orders in the window before"),
    "value_previous": Name("money", _MONEY, "value in the window before"),
    "value_growth": Name("rate", _FRACTION, "change of value against the window before"),
    "orders_per_year": Name("number", "orders per year", "order frequency while a customer"),
    "r_score": Name("count", "1 to 5", "score of the days since the last order, 5 = recent"),
    "f_score": Name("count", "1 to 5", "score of the order frequency, 5 = often"),
    "m_score": Name("count", "1 to 5", "score of the value, 5 = much"),
    "segment": Name("text", "", "segment by the rule table of the three scores"),
    "segment_month_ago": Name("text", "", "segment a month before as_of by the same cut points"),
    "segment_then": Name("text", "", "segment at the earlier date"),
    "segment_from": Name("text", "", "segment at the earlier date"),
    "segment_to": Name("text", "", "segment now"),
    "then_on": Name("date", "", "earlier date that movement is measured from"),
    "first_order_known_then": Name("flag", "", "whether the customer had ordered by the earlier date"),
    "stay_share": Name("rate", _FRACTION, "share of resamples of the orders that give the same segment"),
    "stay_month_share": Name("rate", _FRACTION, "share of customers in the same segment a month ago"),
    "value_class": Name("text", "", "A, B, C by cumulative value"),
    "account_class": Name("text", "", "A, B, C by cumulative value of the account"),
    "value_share": Name("rate", _FRACTION, "share of the value of all rows"),
    "cumulative_share": Name("rate", _FRACTION, "share of value of this row and all larger ones"),
    "margin": Name("money", _MONEY, "value less unit cost of what was bought", True),
    "handling_cost": Name("money", _MONEY, "cost of orders, picks, freight and returns", True),
    "contribution": Name("money", _MONEY, "margin less handling cost", True),
    "contribution_class": Name("text", "", "A, B, C by cumulative contribution", True),
    # segmentation: cut points, segments
    "cut": Name("count", "1 to 4", "number of the cut point between two scores"),
    "cut_value": Name("number", "as the measure", "value at the cut point"),
    "rule": Name("text", "", "rule by which the cut points were taken"),
    "cuts_on": Name("date", "", "day on which the cut points were taken"),
    "window_days": Name("count", "days", "length of the window"),
    "history_from_on": Name("date", "", "first day of the order history"),
    "priced": Name("flag", "", "whether values are money; otherwise units"),
    "score_name": Name("text", "", "score that the cut points cannot reach: r_score, f_score, m_score"),
    "shortage_priority": Name("count", "", "suggested rank when stock is short, 1 = first", True),
    "service_target": Name("rate", _FRACTION, "suggested service level of the segment", True),
    "contact_days": Name("count", "days", "suggested days between two contacts", True),
    "next_step": Name("text", "", "suggested step with the segment", True),
    # segmentation: behaviour, season, life cycle
    "active_months": Name("count", "months", "months with an order"),
    "months_seen": Name("count", "months", "months since the first order seen"),
    "active_share": Name("rate", _FRACTION, "share of months with an order"),
    "order_size": Name("money", "money per order", "mean value of an order"),
    "order_size_cv": Name("number", "ratio", "coefficient of variation of the order size"),
    "behaviour": Name("text", "", "new, seasonal, everyday, sporadic, silent"),
    "order_style": Name("text", "", "frequent or rare, small or large: against the medians of the group"),
    "season_years": Name("count", "years", "whole years that the season is judged on"),
    "season_strength": Name("number", "correlation", "correlation of the month profiles of successive years"),
    "peak_quarter_share": Name("rate", _FRACTION, "share of the best three months in a year"),
    "peak_month": Name("count", "1 to 12", "middle of the best three months"),
    "seasonal": Name("flag", "", "whether the season is strong enough to count"),
    "life_stage": Name("text", "", "stage of a product's life: launch, growth, mature, decline, ending, not_judged"),
    "first_use_on": Name("date", "", "first sale or order of the product"),
    "last_use_on": Name("date", "", "last sale or order of the product"),
    "quantity_year_ago": Name("quantity", _UNITS, "quantity in the same half year one year before"),
    # segmentation: who is leaving
    "intervals": Name("count", "intervals", "intervals between order days"),
    "median_interval_days": Name("number", "days", "median interval between order days"),
    "mean_interval_days": Name("number", "days", "mean interval between order days"),
    "longest_interval_days": Name("count", "days", "longest interval between order days"),
    "regularity": Name("number", "ratio", "shape of the intervals' Gamma distribution: 1 = random, above 4 = regular"),
    "overdue_tail": Name("rate", _FRACTION, "chance of an interval longer than the present one", True),
    "expected_by_on": Name("date", "", "after this day without an order the customer is overdue", True),
    "leaving_status": Name("text", "", "on_time, overdue, silent, too_few", True),
    "value_before_silence": Name("money", _MONEY, "value in the window up to the customer's own last order"),
    "value_at_risk": Name("money", "money per year", "value before silence of customers that are overdue", True),
    "customers_at_risk": Name("count", "customers", "customers that are overdue", True),
    "customers_active": Name("count", "customers", "customers with an order in the window"),
    "customers_overdue": Name("count", "customers", "customers that are overdue", True),
    "top20_value_share": Name("rate", _FRACTION, "share of value of the largest fifth of customers"),
    # segmentation: service and geography
    "contract_measure": Name("text", "", "service measure of the strictest contract"),
    "contract_level": Name("rate", _FRACTION, "highest service level agreed"),
    "contract_window": Name("text", "", "window of the strictest contract: month, quarter"),
    "contracts": Name("count", "contracts", "contracts in force"),
    "penalty_agreed": Name("flag", "", "whether a contract has a penalty", True),
    "customers_under_contract": Name("count", "customers", "customers with a contract in force"),
    "warehouse_assumed": Name("flag", "", "whether the warehouse is the nearest one, not a given one"),
    "distance_km": Name("number", "km", "great-circle distance to the warehouse; of several customers the median"),
    "distance_band": Name("text", "km", "band of the distance"),
    **FORECASTING_NAMES,
    **SEGMENTATION_NAMES,
    **INVENTORY_NAMES,
    # performance review
    "unit": Name("text", "", "unit of the figure: rate, days, ratio, money, quantity, points"),
    "direction": Name("text", "", "which way is better: higher, lower, band"),
    "last_year": Name("number", "as the KPI", "the same figure a year before"),
    "numerator": Name("number", "as the KPI", "numerator of the ratio"),
    "denominator": Name("number", "as the KPI", "denominator of the ratio"),
    "provisional": Name("flag", "", "whether late rows may still change the figure"),
    "partial": Name("flag", "", "whether the period is not over"),
    "cause": Name(
        "text", "", "what happened to the units: in_time, late, short …; of a run why it failed; of a forecast why it moved"
    ),
    "failed": Name("count", "lines", "order lines not on time and in full"),
    "open_units": Name("quantity", _UNITS, "units on overdue lines"),
    "turns": Name("number", "per year", "use over mean stock"),
    "dio": Name("number", "days", "days of stock"),
    "stock_worth": Name("money", _MONEY, "mean stock at our cost; units where no cost is known", True),
    "peer_group": Name("id", "", "report group that the peer band is for, itself excluded"),
    "peers": Name("count", "groups", "groups in the peer band, at least 5"),
    "bucket": Name("text", "days", "age of stock by days since its last use"),
    "worth": Name("money", _MONEY, "value of the stock to its owner; units where no value is known"),
    "excess": Name("money", _MONEY, "value of the stock beyond need; units where no value is known"),
    "days_since_use": Name("count", "days", "days since the last sale or issue; never: infinite"),
    "stage": Name("text", "", "stage of an order: from which event to which"),
    "median": Name("number", "days", "median days of the stage"),
    "p90": Name("number", "days", "90 % quantile of the days"),
    "sharing": Name("rate", _FRACTION, "share of data deliveries that came in time"),
    "forecast_conversion": Name("rate", _FRACTION, "quantity ordered over quantity forecast by the customer"),
    "wape_naive": Name("rate", _FRACTION, "WAPE of the naive forecast"),
    "bullwhip": Name("number", "ratio", "variation of orders over variation of sales"),
    "bias_low": Name("rate", _FRACTION, "lower end of the bias's interval"),
    "bias_high": Name("rate", _FRACTION, "upper end of the bias's interval"),
    # what was said before and what came of it
    "said_on": Name("date", "", "as_of of the earlier run"),
    "horizon": Name("count", "periods", "periods ahead; 0 = all together"),
    "error": Name("quantity", _UNITS, "sum of absolute errors of the earlier forecast"),
    "error_naive": Name("quantity", _UNITS, "sum of absolute errors of the naive forecast"),
    "over": Name("quantity", _UNITS, "sum of forecast less demand"),
    "outcome": Name("text", "", "what came of it"),
    "published_rank": Name("count", "", "1 = the first run published of that as_of"),
    "difference": Name("number", "as the measure", "tables less the ledger system's total"),
    "compared": Name("count", "totals", "totals of the ledger system compared"),
    "different": Name("count", "totals", "totals that differ"),
    # management summary
    "group": Name("id", "", "report group"),
    "notebook": Name("text", "", "report: segmentation, forecasting, inventory_policy, performance_review"),
    "key": Name("text", "", "key of a KPI; of a published report its content key"),
    "headline": Name("text", "", "headline sentence of the report"),
    "badness": Name("number", "", "sort key of the index, larger is worse"),
    "currency": Name("text", "", "ISO 4217 code of the group's money"),
    "note": Name("text", "", "settings that change the figure, or why there is none"),
    "spark": Name("text", "", "up to 13 (month, value) pairs as JSON"),
    "misses": Name("count", "KPIs", "targets missed"),
    "rated": Name("count", "KPIs", "targets rated"),
    "reports": Name("count", "reports", "reports published for the group"),
    "groups": Name("count", "groups", "groups in the total"),
    "before": Name("number", "as the KPI", "the figure in the run before"),
    "verdict": Name("text", "", "better, worse, same"),
}

IN_RESULTS: Mapping[str, str] = {
    "basis": "what the figure rests on: cost, value, units, dates, orders …",
    "kind": "how the number is written: rate, days, ratio, money, quantity, points",
    "level": "what one case of the figure is: lines, units",
    "measure": "what is measured: an accuracy, days_since_last_order, orders, value; in the tie-out rows, quantity, value",
    "of": "what is forecast: demand, sales, orders",
    "owner": "who owns the stock that the row values: customer, supplier",
    "priority": "rank by which short stock is allocated",
    "quantity": "quantity of the row: proposed, forecast or used",
    "reason": "why: of a return the reason given, of a forecast why the model was chosen, of a proposal what triggered it, "
    "in monitoring what happened",
    "scale": "scale of the forecast's error [units]",
    "score": "r, f or m score that no cut point reaches; in the ranking the mean miss of the targets",
    "share": "share of the total of its table",
    "status": "verdict against the target: good, warn, bad, none",
    "table": "table whose totals are compared",
    "text": "sentence that says what to do",
    "value": "figure of the row: of a customer the value bought [money], of a KPI its value in the KPI's unit",
}
"""Contract names that mean something narrower, or something else, in results."""


def find_name(column: str) -> Name | None:
    """Return what is known of a column of the contract or of a result, None where it is neither.

    Examples
    --------
    >>> find_name("on_hand").unit, find_name("reorder_point").kind, find_name("nothing")
    ('units', 'quantity', None)
    """
    return NAMES.get(column) or RESULT_NAMES.get(column)
