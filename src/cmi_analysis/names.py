"""Canonical names: what each means, its unit, and which must not reach a client.

`NAMES` holds one entry for every column of the data contract. One name stands for one idea in every table; where the contract
gives a name a second meaning (``transfers.cost``), the table's schema says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "date", "quantity", "money", "rate", "count", "number", "flag", "flag_or_rate", "coordinate"]


@dataclass(frozen=True)
class Name:
    """One canonical column.

    Attributes
    ----------
    kind : str
        ``id`` and ``text`` (strings), ``date`` (calendar date), ``quantity`` [sales units], ``money`` [the data set's currency],
        ``rate`` [fraction], ``count`` (non-negative number: days, rows), ``number`` (any figure), ``flag`` (yes, no, unknown),
        ``flag_or_rate`` (yes/no or a fraction of the period), ``coordinate`` [degrees].
    unit : str
        Unit, empty where there is none.
    meaning : str
        One line.
    confidential : bool
        True where no client may see it.
    """

    kind: Kind
    unit: str
    meaning: str
    confidential: bool = False


NAMES: Mapping[str, Name] = {
    # who and what
    "customer_id": Name("id", "", "customer: a site that keeps its own stock"),
    "customer_name": Name("text", "", "name of the customer"),
    "customer_group": Name("id", "", "group that the customer belongs to, exactly one"),
    "account_id": Name("id", "", "account that the site belongs to; a chain is one customer for value"),
    "region": Name("text", "", "region of the customer"),
    "country": Name("text", "", "country"),
    "latitude": Name("coordinate", "degrees", "latitude, north positive"),
    "longitude": Name("coordinate", "degrees", "longitude, east positive"),
    "channel": Name("text", "", "sales channel"),
    "site_type": Name("text", "", "type of site"),
    "industry": Name("text", "", "industry of the customer"),
    "warehouse_id": Name("id", "", "our warehouse"),
    "priority": Name("count", "", "rank when stock is short, 1 = first", True),
    "deferrable_days": Name("count", "days", "days a delivery may wait when stock is short", True),
    "calendar_id": Name("id", "", "calendar of open days"),
    "account_manager": Name("text", "", "who looks after the customer", True),
    "since_on": Name("date", "", "customer since"),
    "product_id": Name("id", "", "product"),
    "product_name": Name("text", "", "name of the product"),
    "category": Name("text", "", "product category"),
    "unit_cost": Name("money", "money per unit", "what one unit costs us", True),
    "unit_price": Name("money", "money per unit", "net price of one unit"),
    "supplier_id": Name("id", "", "supplier", True),
    "supplier_name": Name("text", "", "name of the supplier", True),
    "launched_on": Name("date", "", "first day of sale"),
    "ends_on": Name("date", "", "last day of sale or of a promotion"),
    "replaces_product_id": Name("id", "", "product that this one succeeds"),
    "base_unit": Name("text", "", "name of the sales unit"),
    "shelf_life_days": Name("count", "days", "shelf life from receipt"),
    "supply_lead_time_days": Name("count", "days", "lead time from the supplier to us", True),
    "volume": Name("number", "per unit", "volume of one unit"),
    "criticality": Name("text", "", "how much depends on the product"),
    # agreement
    "valid_from_on": Name("date", "", "first day on which the row holds"),
    "valid_to_on": Name("date", "", "last day on which the row holds"),
    "customer_product_code": Name("id", "", "the customer's own code of the product"),
    "units_per_order_unit": Name("quantity", "units", "sales units in one order unit"),
    "minimum_order_quantity": Name("quantity", "units", "smallest order quantity"),
    "order_multiple": Name("quantity", "units", "order quantities are multiples of this"),
    "maximum_stock": Name("quantity", "units", "highest stock agreed"),
    "review_period_days": Name("count", "days", "days between two order decisions"),
    "order_weekdays": Name("text", "", "weekdays on which orders are placed"),
    "lead_time_days": Name("count", "days", "days from order to receipt"),
    "decides": Name("text", "", "who decides the order: customer, shared, supplier"),
    "owner": Name("text", "", "who owns the stock: customer, supplier"),
    # demand and stock
    "date": Name("date", "", "day of the row; of a period its first day, of a snapshot its own"),
    "quantity": Name("quantity", "units", "quantity of the row"),
    "promotion": Name("flag", "", "sold under a promotion"),
    "in_stock": Name("flag_or_rate", "fraction", "whether there was stock, or the share of the period with stock"),
    "on_hand": Name("quantity", "units", "stock at the end of the day"),
    "on_order": Name("quantity", "units", "ordered and not received"),
    "backordered": Name("quantity", "units", "demand waiting for stock"),
    "received": Name("quantity", "units", "received since the snapshot before"),
    "issued": Name("quantity", "units", "issued since the snapshot before"),
    "adjusted": Name("quantity", "units", "corrections since the snapshot before, with their sign"),
    "counted": Name("quantity", "units", "physical count"),
    "blocked": Name("quantity", "units", "stock that may not be used"),
    "reserved": Name("quantity", "units", "stock promised to orders"),
    "node_id": Name("id", "", "site or warehouse"),
    "lot": Name("id", "", "lot or batch"),
    "expires_on": Name("date", "", "last day of use"),
    # orders and deliveries
    "order_id": Name("id", "", "customer's order"),
    "line": Name("id", "", "line of the order"),
    "ordered_on": Name("date", "", "day of the order"),
    "quantity_ordered": Name("quantity", "units", "quantity asked for first"),
    "requested_on": Name("date", "", "day on which the buyer wants it"),
    "promised_on": Name("date", "", "day first promised"),
    "expected_on": Name("date", "", "day now expected"),
    "confirmed_on": Name("date", "", "day of the confirmation"),
    "released_on": Name("date", "", "day of release to the warehouse"),
    "picked_on": Name("date", "", "day of picking"),
    "shipped_on": Name("date", "", "day of shipment"),
    "delivered_on": Name("date", "", "day of arrival at the customer"),
    "paid_on": Name("date", "", "day of payment"),
    "cancelled_on": Name("date", "", "day of cancellation"),
    "quantity_delivered": Name("quantity", "units", "quantity that arrived"),
    "quantity_cancelled": Name("quantity", "units", "quantity cancelled"),
    "cancelled_by": Name("text", "", "who cancelled: customer, supplier"),
    "picking_error": Name("flag", "", "wrong item or quantity picked"),
    "damaged": Name("flag", "", "arrived damaged"),
    "documents_ok": Name("flag", "", "papers complete and right"),
    "status": Name("text", "", "status in the source system"),
    "kind": Name("text", "", "kind of the row: stock, promotion, project, sample; csat, nps, complaint"),
    "delivery_id": Name("id", "", "delivery"),
    "freight_cost": Name("money", "money", "freight paid", True),
    "transport_mode": Name("text", "", "mode of transport"),
    "return_id": Name("id", "", "returned line"),
    "returned_on": Name("date", "", "day of the return"),
    "reason": Name("text", "", "reason given"),
    "condition": Name("text", "", "condition of returned goods: resellable, repair, scrap"),
    # supply
    "po_id": Name("id", "", "our order to a supplier", True),
    "receipt_id": Name("id", "", "receipt from a supplier", True),
    "received_on": Name("date", "", "day of receipt"),
    "quantity_received": Name("quantity", "units", "quantity received"),
    "transfer_id": Name("id", "", "transfer between two nodes", True),
    "from_id": Name("id", "", "node that ships", True),
    "to_id": Name("id", "", "node that receives", True),
    "capacity": Name("quantity", "units", "capacity", True),
    "share": Name("rate", "fraction", "share of the volume bought from the supplier", True),
    "warehouse_name": Name("text", "", "name of the warehouse"),
    "fixed_cost": Name("money", "money per year", "yearly cost of the warehouse", True),
    # plans, money, agreements
    "issued_on": Name("date", "", "day on which it was issued"),
    "period": Name("date", "", "first day of the week or month"),
    "of": Name("text", "", "what is forecast: sell_out, orders"),
    "author": Name("text", "", "who changed it", True),
    "promotion_id": Name("id", "", "promotion"),
    "starts_on": Name("date", "", "first day"),
    "discount": Name("rate", "fraction", "price cut"),
    "announced_on": Name("date", "", "day of the announcement"),
    "cost": Name("text", "", "name of the cost: holding_rate, order_cost, shortage_cost …", True),
    "value": Name("number", "", "figure of the row"),
    "contract_id": Name("id", "", "contract"),
    "measure": Name("text", "", "service agreed: order_fill, otif, on_time, shelf_fill, in_stock"),
    "level": Name("rate", "fraction", "service level agreed"),
    "window": Name("text", "", "window over which service counts: month, quarter"),
    "basis": Name("text", "", "what the service is measured on"),
    "penalty": Name("money", "money", "penalty for missing the level", True),
    "kpi": Name("text", "", "key of the KPI"),
    "open": Name("flag", "", "open on the day"),
    "receives": Name("flag", "", "receives goods on the day"),
    "ships": Name("flag", "", "ships goods on the day"),
    "table": Name("text", "", "table of the data contract"),
    "rows": Name("count", "rows", "rows in the ledger system"),
    "due_on": Name("date", "", "day on which it was due"),
    "name": Name("text", "", "name of the outside variable"),
    "feedback_id": Name("id", "", "answer, complaint or note"),
    "score": Name("number", "", "score given"),
    "scale": Name("text", "", "scale of the score"),
    "text": Name("text", "", "words of the customer"),
    "opened_on": Name("date", "", "day on which it was opened"),
    "closed_on": Name("date", "", "day on which it was closed"),
    "known_on": Name("date", "", "day on which the row became known to us"),
}

# Names of results, not of the contract, that are as confidential as what they are made of.
CONFIDENTIAL_RESULTS = frozenset(
    {
        "margin",
        "contribution",
        "holding_rate",
        "holding_cost",
        "order_cost",
        "shortage_cost",
        "pick_cost",
        "return_cost",
        "budget",
        "cost_to_serve",
        "allocation_rule",
        "priority_rank",
    }
)


def is_confidential(column: str) -> bool:
    """Tell whether `column` must not reach a client.

    Examples
    --------
    >>> is_confidential("unit_cost"), is_confidential("on_hand"), is_confidential("margin")
    (True, False, True)
    """
    return column in CONFIDENTIAL_RESULTS or (column in NAMES and NAMES[column].confidential)
