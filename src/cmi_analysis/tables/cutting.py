"""One report group's rows of every table and of the book, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from cmi_analysis.tables.dataset import no_issues
from cmi_analysis.tables.parquet import plain_frame
from cmi_analysis.tables.schemas import SCHEMAS

TRADED_IN = ("sales", "orders", "stock", "assortment", "customer_forecasts")


def cut_own(frames: Mapping[str, pd.DataFrame], *, customer_ids: Collection[str]) -> dict[str, pd.DataFrame]:
    """Return the rows of the tables that belong to customers, for `customer_ids` only; deliveries follow their order lines.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Tables of the contract; others than those of customers are left out.
    customer_ids : collection of str
        The group's customers.
    """
    ids = set(customer_ids)
    own = {}
    for name, frame in frames.items():
        if SCHEMAS[name].belongs == "customer":
            own[name] = plain_frame(frame[frame["customer_id"].isin(ids)])
    for name, frame in frames.items():
        if SCHEMAS[name].belongs == "order":
            lines = own.get("orders", pd.DataFrame({"order_id": [], "line": []}, dtype="object"))
            own[name] = plain_frame(frame[_pairs(frame).isin(_pairs(lines))])
    return own


def traded_products(own: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return the products with any row in the sales, orders, stock, assortment or forecasts of a group."""
    return {str(value) for name in TRADED_IN if name in own for value in own[name]["product_id"].dropna().unique()}


def serving_warehouses(own: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return the warehouses that serve a group; empty where that is not known of every customer."""
    customers = own.get("customers")
    if customers is None or "warehouse_id" not in customers or bool(customers["warehouse_id"].isna().any()):
        return set()
    return _ids({name: own[name] for name in ("customers", "orders", "deliveries") if name in own}, "warehouse_id")


def cut_shared(
    frames: Mapping[str, pd.DataFrame],
    own: Mapping[str, pd.DataFrame],
    *,
    customer_groups: Collection[str],
    everyone: bool = False,
) -> dict[str, pd.DataFrame]:
    """Return what a group may see of the tables that belong to no single customer.

    Products, suppliers, our stock and what we order: only for the products that the group trades and, where every customer has
    a ``warehouse_id``, only in the warehouses that serve it. Lots and transfers: its own
    nodes and our warehouses; another customer at the far end of a transfer is blank. Promotions, costs and targets: those
    for it or for everyone. Calendars: those of its customers and those of nobody. Control totals hold everybody's rows, so they
    are left out unless the group is `everyone`. Warehouses and drivers: all.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        The shared tables, and `customers` of all groups (to know which calendars are somebody's).
    own : mapping of str to pandas.DataFrame
        The group's own tables (`cut_own`).
    customer_groups : collection of str
        Customer groups that its customers belong to.
    everyone : bool
        Whether the group holds every customer there is.
    """
    products, serving = traded_products(own), serving_warehouses(own)
    shared = {name: frame for name, frame in frames.items() if not SCHEMAS[name].partitioned}
    cut = {}
    for name, frame in shared.items():
        schema = SCHEMAS[name]
        rows = pd.Series(True, index=frame.index)
        if schema.belongs == "node":
            frame, rows = _cut_nodes(name, frame, frames, own)
        elif schema.belongs == "scope":
            rows = _in_scope(frame, own, customer_groups, categories=_categories(shared, products))
        if "product_id" in frame:
            rows &= frame["product_id"].isin(products) | (frame["product_id"].isna() & (schema.belongs == "scope"))
        if serving and "warehouse_id" in frame and name != "warehouses":
            rows &= frame["warehouse_id"].isin(serving) | frame["warehouse_id"].isna()
        cut[name] = plain_frame(frame[rows])
    cut |= _cut_suppliers(cut)
    if "calendars" in cut:
        cut["calendars"] = _cut_calendars(cut["calendars"], frames, own)
    if not everyone:
        cut.pop("control_totals", None)
    return cut


def cut_book(
    frames: Mapping[str, pd.DataFrame], *, customer_ids: Collection[str], customer_groups: Collection[str], group: str
) -> dict[str, pd.DataFrame]:
    """Return the book's frames, cut to one group.

    A frame with ``customer_id`` keeps the group's customers; else one with ``peer_group`` keeps the rows of this report group;
    else one with ``customer_group`` keeps the groups that the customers belong to and the aggregate over all (""). Where several
    of the columns are there, each must agree. A frame with none of them is an aggregate for everyone.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Frames of the book pass.
    customer_ids : collection of str
        The group's customers.
    customer_groups : collection of str
        Customer groups that these belong to.
    group : str
        Id of the report group.
    """
    allowed = {"customer_id": set(customer_ids), "customer_group": {*customer_groups, ""}, "peer_group": {group}}
    cut = {}
    for name, frame in frames.items():
        rows = pd.Series(True, index=frame.index)
        for column, values in allowed.items():
            if column in frame:
                rows &= frame[column].isin(values)
        cut[name] = plain_frame(frame[rows])
    return cut


def cut_issues(issues: pd.DataFrame, *, customer_groups: Collection[str], whole: bool) -> pd.DataFrame:
    """Return the issues of a group's customer groups.

    Parameters
    ----------
    issues : pandas.DataFrame
        Issue list of the data set.
    customer_groups : collection of str
        Customer groups that the report group's customers belong to.
    whole : bool
        Whether the report group holds all customers of these; if not, an example may be another customer's, and the columns
        ``line``, ``value`` and ``example`` are blank.
    """
    cut = plain_frame(issues[issues["customer_group"].isin(set(customer_groups))])
    if cut.empty:
        return no_issues()
    return cut if whole else cut.assign(line="", value="", example="")


def _pairs(frame: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([frame["order_id"].astype("object"), frame["line"].astype("object")])


def _ids(frames: Mapping[str, pd.DataFrame], column: str) -> set[str]:
    return {str(value) for frame in frames.values() if column in frame for value in frame[column].dropna().unique()}


def _cut_nodes(
    name: str, frame: pd.DataFrame, frames: Mapping[str, pd.DataFrame], own: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.Series]:
    customers = _ids({"customers": own["customers"]}, "customer_id") if "customers" in own else set()
    every = _ids({table: frames[table] for table in frames if not SCHEMAS[table].partitioned}, "warehouse_id")
    ours = serving_warehouses(own) or every
    foreign = _ids({"customers": frames["customers"]}, "customer_id") - customers if "customers" in frames else set()
    allowed = (customers | ours) - foreign
    if name != "transfers":
        return frame, frame["node_id"].isin(allowed)
    rows = frame["from_id"].isin(allowed) | frame["to_id"].isin(allowed)
    ends = {column: frame[column].astype("object") for column in ("from_id", "to_id")}
    seen = frame.assign(**{column: values.where(values.isin(allowed), None) for column, values in ends.items()})
    touched = frame["from_id"].isin(customers) | frame["to_id"].isin(customers)
    between_ours = frame["from_id"].isin(ours) & frame["to_id"].isin(ours)
    return seen, rows & (touched | between_ours)


def _categories(shared: Mapping[str, pd.DataFrame], products: Collection[str]) -> set[str] | None:
    """Return the categories of the traded products; None where products have no categories."""
    frame = shared.get("products")
    if frame is None or "category" not in frame:
        return None
    return set(frame.loc[frame["product_id"].isin(products), "category"].dropna())


def _in_scope(
    frame: pd.DataFrame, own: Mapping[str, pd.DataFrame], customer_groups: Collection[str], *, categories: set[str] | None
) -> pd.Series:
    allowed: dict[str, Collection[str]] = {
        "customer_id": _ids({"customers": own["customers"]}, "customer_id") if "customers" in own else set(),
        "customer_group": set(customer_groups),
    }
    if categories is not None:
        allowed["category"] = categories
    rows = pd.Series(True, index=frame.index)
    for column, values in allowed.items():
        if column in frame:
            rows &= frame[column].isna() | (frame[column] == "") | frame[column].isin(values)
    return rows


def _cut_suppliers(cut: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    if "suppliers" not in cut:
        return {}
    trading = _ids({name: frame for name, frame in cut.items() if name != "suppliers"}, "supplier_id")
    return {"suppliers": plain_frame(cut["suppliers"][cut["suppliers"]["supplier_id"].isin(trading)])}


def _cut_calendars(calendars: pd.DataFrame, frames: Mapping[str, pd.DataFrame], own: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    somebodys = _ids({"customers": frames["customers"]}, "calendar_id") if "customers" in frames else set()
    mine = _ids({"customers": own["customers"]}, "calendar_id") if "customers" in own else set()
    return plain_frame(calendars[~calendars["calendar_id"].isin(somebodys - mine)])
