"""Columns of results: what customers are worth, how they are served, clusters, causes of moves."""

from __future__ import annotations

from collections.abc import Mapping

from cmi_analysis.names.name import Name

_FRACTION, _MONEY = "fraction", "money"

SEGMENTATION_NAMES: Mapping[str, Name] = {
    # value and contribution
    "value_tier": Name("text", "", "high, mid, low by stated boundaries of value"),
    "tier": Name("text", "", "high, mid, low"),
    "tier_from": Name("money", _MONEY, "value from which a customer is in the tier"),
    "cost_to_serve": Name("money", "money per order", "handling cost over orders", True),
    "customers_share": Name("rate", _FRACTION, "share of the customers so far, the one that leaves most first"),
    "whale_share": Name("rate", _FRACTION, "share of the total contribution of the customers so far; may pass 1", True),
    # lifetime value
    "alive_chance": Name("rate", _FRACTION, "chance that the customer has not stopped ordering for good", True),
    "expected_orders": Name("number", "orders", "orders expected in the horizon of the lifetime value", True),
    "lifetime_value": Name("money", _MONEY, "expected contribution in the horizon, discounted", True),
    "lifetime_value_low": Name("money", _MONEY, "5 % quantile of the lifetime value", True),
    "lifetime_value_high": Name("money", _MONEY, "95 % quantile of the lifetime value", True),
    "lifetime_method": Name("text", "", "where the lifetime value comes from: rhythm, bg_nbd, mbg_nbd, nbd, none", True),
    "parameter": Name("text", "", "parameter of the fitted model"),
    "parameter_value": Name("number", "as the parameter", "value of the parameter"),
    # who was served when stock was short
    "short_ordered": Name("quantity", "units", "units ordered in past shortages", True),
    "short_delivered": Name("quantity", "units", "units of these that came", True),
    "short_by_priority": Name("quantity", "units", "units that the suggested priorities would have given", True),
    "served_share": Name("rate", _FRACTION, "share of the units ordered in past shortages that came", True),
    "served_by_priority": Name("rate", _FRACTION, "share that the suggested priorities would have given", True),
    # relation, service, place
    "relation_stage": Name("text", "", "new, returned, growing, stable, shrinking, unknown, dormant, left", True),
    "promotion_share": Name("rate", _FRACTION, "share of the units used in promotions"),
    "demand_pattern": Name("text", "", "demand pattern of all products of the customer together"),
    "requested_days": Name("number", "days", "median days from order to requested date"),
    "rush_share": Name("rate", _FRACTION, "share of order lines wanted in less than half the usual time"),
    "delivered_share": Name("rate", _FRACTION, "share of the units ordered that came, of lines at least 30 days old"),
    "service_need": Name("text", "", "high, normal, low: by contract and by rush"),
    "market": Name("text", "", "domestic, international, unknown: customer and warehouse in one country or not"),
    "site_cluster": Name("count", "", "number of the cluster of sites close to each other, 1 = most sites"),
    # how sure, clusters, causes
    "segment_chance": Name("rate", _FRACTION, "share of resampled populations in which the customer lands in the segment"),
    "second_segment": Name("text", "", "segment in which the customer lands most often beside its own"),
    "customers_sure": Name("count", "customers", "customers that keep the segment in nine of ten resampled populations"),
    "customers_possible": Name("count", "customers", "customers that land in the segment in at least one of ten"),
    "cluster": Name("count", "", "number of the cluster of customers, 1 = largest median value"),
    "cluster_keep_share": Name("rate", _FRACTION, "share of resampled populations in which the customer keeps its cluster"),
    "cluster_likeness": Name("number", "adjusted Rand index", "how well the clusters come back: 1 = always, 0 = by chance"),
    "most_segment": Name("text", "", "segment of most of the cluster's customers here"),
    "most_customers": Name("count", "customers", "customers of the cluster in that segment"),
    "days_median": Name("number", "days", "median days since the last order of the cluster, all groups"),
    "orders_median": Name("number", "orders", "median orders of the cluster, all groups"),
    "value_median": Name("money", _MONEY, "median value of the cluster, all groups"),
    "move_cause": Name("text", "", "why the segment changed: customer, threshold, both, none"),
    "segment_then_own_cuts": Name("text", "", "segment at the earlier date by the cut points of that date"),
    "cuts_version": Name("text", "", "version of the cut points: hash of their values"),
}
