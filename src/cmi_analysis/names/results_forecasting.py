"""Columns of results: demand, forecasts, how good they were, what moved."""

from __future__ import annotations

from collections.abc import Mapping

from cmi_analysis.names.name import Name

_UNITS, _FRACTION, _MONEY = "units", "fraction", "money"

FORECASTING_NAMES: Mapping[str, Name] = {
    # demand and its pattern
    "periods": Name("count", "periods", "periods of the series; of a forecast sum the periods added up"),
    "masked_periods": Name("count", "periods", "periods left out because there was no stock"),
    "demands": Name("count", "periods", "periods with demand"),
    "adi": Name("number", "periods", "average demand interval"),
    "mean_size": Name("quantity", _UNITS, "mean size of a demand"),
    "cv2": Name("number", "ratio", "squared coefficient of variation of the demand sizes"),
    "pattern": Name("text", "", "demand pattern: smooth, erratic, intermittent, lumpy, too_few"),
    "demand": Name("quantity", _UNITS, "demand of the period, filled in where there was no stock; of a row of several their sum"),
    "returned": Name("quantity", _UNITS, "returned in the period"),
    "imputed": Name("flag", "", "whether the demand is filled in"),
    "season": Name("count", "1 to 12", "month, or four-week season, of the year"),
    "index": Name("number", "ratio", "seasonal index, 1 = an average period"),
    "used": Name("flag", "", "whether the seasonal index is used"),
    # forecasts
    "lead": Name("count", "periods", "periods ahead of the origin"),
    "model": Name("text", "", "forecasting method"),
    "mean": Name("quantity", _UNITS, "expected demand; of order times the mean days"),
    "sd": Name("quantity", _UNITS, "standard deviation of the forecast distribution"),
    "q05": Name("quantity", _UNITS, "5 % quantile of the forecast distribution"),
    "q10": Name("quantity", _UNITS, "10 % quantile of the forecast distribution"),
    "q25": Name(
        "quantity", _UNITS, "25 % quantile of the forecast distribution; of a peer band its lower quartile, in the KPI's unit"
    ),
    "q50": Name("quantity", _UNITS, "median of the forecast distribution; of a peer band its median, in the KPI's unit"),
    "q75": Name(
        "quantity", _UNITS, "75 % quantile of the forecast distribution; of a peer band its upper quartile, in the KPI's unit"
    ),
    "q80": Name("quantity", _UNITS, "80 % quantile of the forecast distribution"),
    "q90": Name("quantity", _UNITS, "90 % quantile of the forecast distribution"),
    "q95": Name("quantity", _UNITS, "95 % quantile of the forecast distribution"),
    "q99": Name("quantity", _UNITS, "99 % quantile of the forecast distribution"),
    "shape": Name("text", "", "form of the distribution: empirical, negative_binomial, normal, none"),
    "kin": Name("text", "", "what the series that a new one was forecast from have in common with it"),
    "shared": Name("rate", "fraction", "part of a forecast's variance that all its leads have in common"),
    "kin_series": Name("count", "series", "series that a new one was forecast from"),
    "fallback": Name("text", "", "why no model was fitted; empty: one was"),
    "statistical": Name("text", "", "best method without the customer's forecast"),
    "state": Name("text", "", "where the item stands: new, active, ending, dead; of a run what became of the report"),
    "next": Name("quantity", _UNITS, "expected demand of the next periods together"),
    "next_low": Name("quantity", _UNITS, "lower bound of the next periods' demand"),
    "next_high": Name("quantity", _UNITS, "upper bound of the next periods' demand"),
    "first_on": Name("date", "", "first period with demand"),
    "last_on": Name("date", "", "last period with demand"),
    "recent": Name("quantity", _UNITS, "demand of the last 13 periods"),
    # how good forecasts were
    "actual": Name("quantity", _UNITS, "demand that came; unknown where stock was out"),
    "sold": Name("quantity", _UNITS, "what was sold, censored where stock was out"),
    "naive_mean": Name(
        "quantity", _UNITS, "mean absolute change from period to period: the error of the naive forecast in the sample"
    ),
    "naive_rms": Name("quantity", _UNITS, "root mean squared change from period to period"),
    "wape": Name("rate", _FRACTION, "sum of absolute errors over sum of demand"),
    "bias": Name("rate", _FRACTION, "sum of forecast less demand over sum of demand"),
    "mase": Name("number", "ratio", "mean absolute error over that of the naive forecast in the sample"),
    "rmsse": Name("number", "ratio", "root mean squared error over that of the naive forecast in the sample"),
    "split": Name("text", "", "what the back-test is taken apart by: horizon, sum, pattern, segment"),
    "cell": Name("text", "", "periods ahead, demand pattern or customer segment"),
    "pinball_80": Name("rate", _FRACTION, "loss of the 80 % quantile over demand"),
    "pinball_95": Name("rate", _FRACTION, "loss of the 95 % quantile over demand"),
    "value_added": Name("rate", "points", "WAPE of the naive forecast less ours"),
    "coverage": Name("rate", _FRACTION, "share of actuals inside the interval"),
    "below_high": Name("rate", _FRACTION, "share of actuals at or below the upper bound"),
    "step": Name("text", "", "step of the value-added stairs: naive, seasonal_naive, statistical, customer, combined, chosen"),
    "scope": Name("text", "", "items that the figure covers: all, shared (those with a customer's forecast)"),
    "view": Name("text", "", "what the bias is held against: kept (periods with stock), sold, imputed (filled in)"),
    "doubt": Name("text", "", "why the item's forecast is in doubt; empty: it is not"),
    "deviations": Name("number", "standard deviations", "distance of the outlier from its forecast"),
    "tracking_signal": Name(
        "number", "mean absolute deviations", "running sum of the back-test's errors; above 0: too low a forecast"
    ),
    "changed_on": Name("date", "", "first period of the new level of demand"),
    "level_before": Name("quantity", "units per period", "demand in the year before, the season taken out"),
    "level_after": Name(
        "quantity", "units per period", "demand of late, since the change where there is one, the season taken out"
    ),
    "driver": Name("text", "", "what moves demand: season, year, promotion (after, net); alone: with the others held constant"),
    "effect": Name(
        "money",
        _MONEY,
        "our expected profit effect over the next protection interval; of a driver its relative effect on demand",
        True,
    ),
    "wape_customer": Name("rate", _FRACTION, "WAPE of the customer's forecast"),
    "bias_customer": Name("rate", _FRACTION, "bias of the customer's forecast"),
    "wape_statistical": Name("rate", _FRACTION, "WAPE of our forecast without the customer's"),
    "wape_combined": Name("rate", _FRACTION, "WAPE of both combined"),
    "trust": Name("text", "", "whose forecast was better: ours, theirs, combined, unclear"),
    "total_level": Name("text", "", "level of the forecasts added up: all, customer, category, product, bottom (the items)"),
    "node": Name("text", "", "customer, category or product whose items are added up; of all: all"),
    "nodes": Name("count", "totals", "totals of the level"),
    "base": Name("quantity", _UNITS, "forecast of the level by itself, over the horizon"),
    "wape_base": Name("rate", _FRACTION, "WAPE of the level's own forecast in the back-test"),
    "bias_base": Name("rate", _FRACTION, "bias of the level's own forecast in the back-test"),
    # what moved since the run before
    "expected_then": Name("quantity", _UNITS, "what the earlier run forecast for the periods that both forecast"),
    "expected_now": Name("quantity", _UNITS, "what this run forecasts for the same periods"),
    "moved": Name("quantity", _UNITS, "forecast of this run less that of the earlier one, same periods"),
    "sold_since": Name("quantity", _UNITS, "demand of the periods that ended between the two runs"),
    "said_since": Name("quantity", _UNITS, "what the earlier run forecast for them"),
    "model_then": Name("text", "", "model of the earlier run"),
}
