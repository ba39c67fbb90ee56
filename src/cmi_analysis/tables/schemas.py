"""The data contract as data: every table, its columns, its key, and when a row of it becomes known.

Two facts about time are kept apart. ``known_on`` of a table says on which date a *row* becomes known (the first of the named
columns that has a value; none: always known). ``blank_until`` of a column says on which later event its *value* becomes known:
the value is blank until then, and stays blank where no such event is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cmi_analysis.names import NAMES, Kind
from cmi_analysis.tables.columns import Belongs, Column, TableSchema, conform_column, dtype_of

_EVENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "orders": {
        **{name: (name,) for name in ("shipped_on", "delivered_on", "cancelled_on", "confirmed_on", "released_on")},
        **{name: (name,) for name in ("picked_on", "paid_on")},
        **dict.fromkeys(("quantity_cancelled", "cancelled_by"), ("cancelled_on",)),
        **dict.fromkeys(("quantity_delivered", "picking_error", "damaged", "documents_ok"), ("delivered_on", "shipped_on")),
        "status": ("delivered_on", "cancelled_on", "shipped_on"),
    },
    "deliveries": {"delivered_on": ("delivered_on",)},
    "receipts": {"received_on": ("received_on",), "quantity_received": ("received_on",)},
    "purchase_orders": {"cancelled_on": ("cancelled_on",)},
    "transfers": {"received_on": ("received_on",)},
    "feeds": {"received_on": ("received_on",)},
    "feedback": {"closed_on": ("closed_on",)},
}
_SIGNED = {("stock", "adjusted"), ("adjustments", "quantity"), ("control_totals", "quantity")}
_REFERENCES = {
    "customer_id": "customers",
    "product_id": "products",
    "order_id": "orders",
    "supplier_id": "suppliers",
    "warehouse_id": "warehouses",
}
# where the contract gives a name a second meaning
_KINDS: dict[tuple[str, str], Kind] = {("transfers", "cost"): "money", ("costs", "value"): "count"}


def _table(
    name: str,
    key: str,
    required: str = "",
    optional: str = "",
    *,
    nullable: str = "",
    date: str = "",
    known_on: str = "",
    belongs: Belongs = "shared",
) -> TableSchema:
    """Return a schema from space-separated column names; key columns are required unless they are also in `optional`."""
    choice = optional.split()
    must = [column for column in dict.fromkeys([*key.split(), *required.split()]) if column not in choice]
    blank = set(nullable.split())
    columns = {
        column: Column(
            name=column,
            kind=_KINDS.get((name, column), NAMES[column].kind),
            required=column in must,
            nullable=column not in must or column in blank,
            signed=(name, column) in _SIGNED,
            blank_until=_EVENTS.get(name, {}).get(column, ()),
        )
        for column in dict.fromkeys([*key.split(), *must, *choice, "known_on"])
    }
    own = _REFERENCES.get(key) if " " not in key else None
    references = {column: table for column, table in _REFERENCES.items() if column in columns and table != own and table != name}
    return TableSchema(name, tuple(key.split()), columns, date, tuple(known_on.split()), belongs, references)


_TABLES = (
    _table(
        "customers",
        "customer_id",
        "customer_name customer_group",
        "account_id region country latitude longitude channel site_type industry warehouse_id priority deferrable_days "
        "calendar_id account_manager since_on",
        belongs="customer",
    ),
    _table(
        "products",
        "product_id",
        "product_name",
        "category unit_cost unit_price supplier_id launched_on ends_on replaces_product_id base_unit shelf_life_days "
        "supply_lead_time_days volume criticality",
    ),
    _table(
        "assortment",
        "customer_id product_id valid_from_on",
        "",
        "valid_from_on valid_to_on customer_product_code units_per_order_unit minimum_order_quantity order_multiple "
        "maximum_stock review_period_days order_weekdays lead_time_days unit_price decides owner",
        belongs="customer",
    ),
    _table(
        "sales",
        "customer_id product_id date",
        "quantity",
        "unit_price promotion in_stock",
        date="date",
        known_on="date",
        belongs="customer",
    ),
    _table(
        "orders",
        "order_id line",
        "customer_id product_id ordered_on quantity_ordered",
        "requested_on promised_on shipped_on delivered_on quantity_delivered unit_price warehouse_id picking_error damaged "
        "documents_ok status cancelled_on quantity_cancelled cancelled_by confirmed_on released_on picked_on paid_on kind",
        date="ordered_on",
        known_on="ordered_on",
        belongs="customer",
    ),
    _table(
        "deliveries",
        "delivery_id",
        "order_id line quantity",
        "shipped_on expected_on delivered_on warehouse_id freight_cost transport_mode",
        date="shipped_on",
        known_on="shipped_on delivered_on",
        belongs="order",
    ),
    _table(
        "stock",
        "customer_id product_id date",
        "on_hand",
        "on_order backordered received issued adjusted counted blocked owner",
        date="date",
        known_on="date",
        belongs="customer",
    ),
    _table(
        "lots",
        "node_id product_id lot date",
        "quantity expires_on",
        nullable="expires_on",
        date="date",
        known_on="date",
        belongs="node",
    ),
    _table("in_transit", "customer_id product_id expected_on", "quantity", date="expected_on", belongs="customer"),
    _table("warehouse_stock", "warehouse_id product_id date", "on_hand", "on_order reserved", date="date", known_on="date"),
    _table(
        "customer_forecasts",
        "customer_id product_id issued_on period",
        "quantity",
        "of",
        date="issued_on",
        known_on="issued_on",
        belongs="customer",
    ),
    _table(
        "adjustments",
        "customer_id product_id issued_on period",
        "quantity author reason",
        nullable="author reason",
        date="issued_on",
        known_on="issued_on",
        belongs="customer",
    ),
    _table(
        "returns",
        "return_id",
        "customer_id product_id returned_on quantity",
        "order_id reason condition",
        date="returned_on",
        known_on="returned_on",
        belongs="customer",
    ),
    _table(
        "purchase_orders",
        "po_id line",
        "supplier_id product_id ordered_on quantity",
        "warehouse_id requested_on promised_on expected_on cancelled_on",
        date="ordered_on",
        known_on="ordered_on",
    ),
    _table(
        "transfers",
        "transfer_id",
        "from_id to_id product_id shipped_on quantity",
        "received_on cost",
        date="shipped_on",
        known_on="shipped_on",
        belongs="node",
    ),
    _table(
        "receipts",
        "receipt_id",
        "supplier_id product_id ordered_on received_on quantity_ordered quantity_received",
        "promised_on transport_mode unit_cost warehouse_id",
        nullable="ordered_on received_on quantity_received",
        date="received_on",
        known_on="ordered_on received_on",
    ),
    _table("suppliers", "supplier_id", "", "supplier_name country capacity"),
    _table("supplier_products", "supplier_id product_id", "", "unit_cost minimum_order_quantity lead_time_days share"),
    _table(
        "warehouses", "warehouse_id", "latitude longitude", "warehouse_name fixed_cost capacity", nullable="latitude longitude"
    ),
    _table(
        "promotions",
        "promotion_id",
        "starts_on ends_on",
        "product_id customer_id customer_group discount kind announced_on",
        date="starts_on",
        known_on="announced_on",
        belongs="scope",
    ),
    _table(
        "costs",
        "cost customer_id product_id category valid_from_on",
        "value",
        "customer_id product_id category valid_from_on",
        belongs="scope",
    ),
    _table(
        "contracts",
        "contract_id",
        "customer_id measure level window valid_from_on",
        "product_id category basis penalty valid_to_on",
        nullable="valid_from_on",
        belongs="customer",
    ),
    _table(
        "targets",
        "kpi customer_group customer_id product_id category valid_from_on",
        "value",
        "customer_group customer_id product_id category valid_from_on",
        belongs="scope",
    ),
    _table("calendars", "calendar_id date", "open receives ships", "holiday", nullable="receives ships", date="date"),
    _table(
        "control_totals", "table period", "rows quantity value", nullable="rows quantity value", date="period", known_on="period"
    ),
    _table(
        "feeds",
        "customer_id table due_on",
        "received_on",
        nullable="received_on",
        date="due_on",
        known_on="due_on",
        belongs="customer",
    ),
    _table("drivers", "name period", "value", date="period", known_on="period"),
    _table(
        "feedback",
        "feedback_id",
        "customer_id date",
        "kind score scale text order_id opened_on closed_on",
        date="date",
        known_on="date",
        belongs="customer",
    ),
)
SCHEMAS: Mapping[str, TableSchema] = {schema.name: schema for schema in _TABLES}


def empty_frame(table: str) -> pd.DataFrame:
    """Return a frame of `table` with every column of the contract and no row.

    Examples
    --------
    >>> empty_frame("in_transit").dtypes["expected_on"]
    dtype('<M8[ns]')
    """
    columns = SCHEMAS[table].columns.values()
    return pd.DataFrame({column.name: pd.Series(dtype=dtype_of(column.kind)) for column in columns})


def conform(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return `frame` in the contract's dtypes and column order; columns that the contract does not know are left out.

    Parameters
    ----------
    table : str
        Name of the table.
    frame : pandas.DataFrame
        Clean rows; columns may be in any order, optional ones may be absent.

    Returns
    -------
    pandas.DataFrame
        Ids and texts as strings (None where missing), dates as ``datetime64[ns]`` without time, numbers as ``float64``, flags as
        ``boolean``. The index starts at 0.

    Examples
    --------
    >>> rows = pd.DataFrame({"on_hand": [5], "product_id": ["007"], "customer_id": [12], "date": ["2024-03-01"], "x": [1]})
    >>> conform("stock", rows).to_dict("records")
    [{'customer_id': '12', 'product_id': '007', 'date': Timestamp('2024-03-01 00:00:00'), 'on_hand': 5.0}]
    """
    schema = SCHEMAS[table]
    kept = [column for column in schema.columns.values() if column.name in frame]
    return pd.DataFrame({column.name: conform_column(frame[column.name], column.kind) for column in kept}).reset_index(drop=True)
