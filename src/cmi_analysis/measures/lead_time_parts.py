"""The parts of a site's lead time (waiting for our stock, handling, transport), suppliers mixed, and dates that cannot be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.measures.lead_time import fit_lead_times

PARTS = ("waiting", "handling", "transport")
"""Parts of a site's lead time: until our warehouse has the goods, until they leave it, until they arrive."""
_ENDS = {"waiting": "picked_on", "handling": "shipped_on", "transport": "delivered_on"}


def count_date_flaws(orders: pd.DataFrame, *, start: str = "ordered_on", end: str = "delivered_on") -> pd.DataFrame:
    """Return how many lines have a lead time that cannot be or that is zero.

    Parameters
    ----------
    orders : pandas.DataFrame
        The columns named by `start` and `end`.
    start, end : str
        Columns of the dates.

    Returns
    -------
    pandas.DataFrame
        flaw (``negative``: arrived before it was ordered, ``zero``: the same day, ``no_start``: no order date), lines [count],
        share [fraction of all lines].

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-02", "2024-01-02"])
    >>> ends = pd.to_datetime(["2024-01-01", "2024-01-02"])
    >>> count_date_flaws(pd.DataFrame({"ordered_on": days, "delivered_on": ends}))["lines"].tolist()
    [1, 1, 0]
    """
    began = orders[start].astype("datetime64[ns]")
    days = (orders[end].astype("datetime64[ns]") - began).dt.days
    lines = [int((days < 0).sum()), int((days == 0).sum()), int(began.isna().sum())]
    total = max(len(orders), 1)
    return pd.DataFrame(
        {"flaw": ["negative", "zero", "no_start"], "lines": lines, "share": [number / total for number in lines]},
    )


def collect_parts(orders: pd.DataFrame, *, as_of: dt.date, handling_days: float | None = None) -> pd.DataFrame:
    """Return how long each part of each order line took, or has been going on until `as_of`.

    The clock starts at ``ordered_on``, or at ``released_on`` where that is later. Waiting ends at ``picked_on``, handling at
    ``shipped_on``, transport at ``delivered_on``. Rules where dates are missing, each told in `source`:

    - ``dates``: the part has both its dates.
    - ``split``: shipped but without ``picked_on``: handling is the smaller of start → shipped and `handling_days`, waiting the
      rest.
    - ``whole``: arrived without ``shipped_on``: the whole time is given as transport, with no waiting or handling apart.
    - ``open``: the part goes on at `as_of` (or did until the line was cancelled).
    - ``negative``: the part would end before it began; the line is not used in that part (arrived is False and days missing).

    Parameters
    ----------
    orders : pandas.DataFrame
        customer_id, product_id, ordered_on; optional released_on, picked_on, shipped_on, delivered_on, cancelled_on.
    as_of : datetime.date
        Day up to which the orders are known.
    handling_days : float, optional
        Days that handling takes where no ``picked_on`` says; without it the lower quartile of start → shipped, in whole days.

    Returns
    -------
    pandas.DataFrame
        customer_id, product_id, ordered_on, part, days [days], arrived (bool: the part has ended), source; sorted.
    """
    lines = orders[orders["ordered_on"].notna()].reset_index(drop=True)
    date = {name: _dates(lines, name) for name in ("released_on", "picked_on", "shipped_on", "delivered_on", "cancelled_on")}
    start = lines["ordered_on"].astype("datetime64[ns]")
    start = start.where(~(date["released_on"] > start), date["released_on"])
    stop = date["cancelled_on"].fillna(pd.Timestamp(as_of))
    to_shipped = (date["shipped_on"] - start).dt.days.astype("float64")
    usual = to_shipped[to_shipped >= 0]
    allowed = handling_days if handling_days is not None else float(np.floor(usual.quantile(0.25))) if len(usual) else 0.0
    split = date["picked_on"].isna() & date["shipped_on"].notna()
    whole = date["picked_on"].isna() & date["shipped_on"].isna() & date["delivered_on"].notna()
    pieces, began = [], start
    for part in PARTS:
        piece = _part(began, date[_ENDS[part]], stop)
        if part != "transport":
            handled = np.minimum(to_shipped, allowed)
            cut = to_shipped - handled if part == "waiting" else handled
            piece.loc[split, "days"] = cut[split].where(to_shipped[split] >= 0)
            piece.loc[split, "arrived"] = to_shipped[split] >= 0
            piece.loc[split, "source"] = np.where(to_shipped[split] >= 0, "split", "negative")
            piece = piece[~whole]
        else:
            piece.loc[whole] = _part(start[whole], date["delivered_on"][whole], stop[whole]).replace(
                {"source": {"dates": "whole"}}
            )
        pieces.append(lines.loc[piece.index, ["customer_id", "product_id", "ordered_on"]].assign(part=part).join(piece))
        began = date[_ENDS[part]]
    table = pd.concat(pieces, ignore_index=True)
    table = table[table["source"] != "before"]
    return table.sort_values([*table.columns], kind="stable").reset_index(drop=True)


def _dates(frame: pd.DataFrame, column: str) -> pd.Series:
    blank = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    return frame[column].astype("datetime64[ns]") if column in frame else blank


def _part(began: pd.Series, ended: pd.Series, stop: pd.Series) -> pd.DataFrame:
    """Return days, arrived and source of one part; ``before`` where it has not begun."""
    days = (ended.fillna(stop) - began).dt.days.astype("float64")
    negative = days < 0
    arrived = ended.notna() & began.notna() & ~negative
    source = np.select([began.isna(), negative & ended.notna(), ended.isna()], ["before", "negative", "open"], "dates")
    days = days.where(~(negative & ended.notna())).clip(lower=0)
    return pd.DataFrame({"days": days, "arrived": arrived, "source": pd.Series(source, index=began.index, dtype="object")})


def fit_parts(parts: pd.DataFrame, *, by: Sequence[Sequence[str]], prior_lines: float = 10.0) -> pd.DataFrame:
    """Return the chance of each length of each part, by the product-limit estimate with what is open, shrunk where few.

    Parameters
    ----------
    parts : pandas.DataFrame
        As from `collect_parts`; lines labelled ``negative`` are left out.
    by : sequence of sequences of str
        Keys from coarse to fine, as in `fit_lead_times`.
    prior_lines : float
        Lines that the coarser level counts for [count].

    Returns
    -------
    pandas.DataFrame
        The finest key, part, days [days], probability [fraction]; sorted. A part without any ended line is left out.
    """
    used = parts[parts["days"].notna()]
    found = [
        fit_lead_times(used[used["part"] == part], by=by, prior_lines=prior_lines).assign(part=part)
        for part in PARTS
        if used.loc[used["part"] == part, "arrived"].any()
    ]
    finest = list(by[-1])
    columns = [*finest, "part", "days", "probability"]
    if not found:
        return pd.DataFrame(
            {name: pd.Series(dtype="float64" if name in ("days", "probability") else "object") for name in columns}
        )
    return pd.concat(found)[columns].sort_values([*finest, "part", "days"], kind="stable").reset_index(drop=True)


def combine_parts(parts: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Return the lead time that independent parts add up to: their distributions convolved.

    P(L = l) = Σ P(waiting = a)·P(handling = b)·P(transport = l − a − b). A key that lacks a part is added up without it and
    says so.

    Parameters
    ----------
    parts : pandas.DataFrame
        The key, part, days [whole days], probability [fraction].
    by : sequence of str
        The key.

    Returns
    -------
    pandas.DataFrame
        The key, days [days], probability [fraction], missing (parts that the key lacks, joined by ``+``; empty: none); sorted.

    Raises
    ------
    InputError
        A part lasts less than zero days, or its chances do not sum to 1.

    Examples
    --------
    >>> parts = pd.DataFrame({"customer_id": "c", "part": ["waiting", "waiting", "handling", "transport"],
    ...     "days": [0.0, 5.0, 1.0, 2.0], "probability": [0.8, 0.2, 1.0, 1.0]})
    >>> combine_parts(parts, by=["customer_id"])[["days", "probability"]].values.tolist()
    [[3.0, 0.8], [8.0, 0.2]]
    """
    keys = list(by)
    sums = parts.groupby([*keys, "part"], sort=True)["probability"].sum()
    if (parts["days"] < 0).any() or (sums - 1).abs().max() > 1e-6 or (parts["probability"] < 0).any():
        raise InputError(
            expected="parts of zero or more days whose chances sum to 1",
            found=f"shortest {parts['days'].min()} days, sums from {sums.min():.3f} to {sums.max():.3f}",
            fix="Fit them with fit_parts, or divide by the sum.",
        )
    frames = []
    for key, rows in parts.groupby(keys, sort=True):
        total = np.ones(1)
        for part in PARTS:
            one = rows[rows["part"] == part]
            if len(one):
                pmf = np.zeros(int(one["days"].max()) + 1)
                np.add.at(pmf, one["days"].round().astype("int64").to_numpy(), one["probability"].to_numpy())
                total = np.convolve(total, pmf)
        missing = "+".join(part for part in PARTS if part not in set(rows["part"]))
        place = np.flatnonzero(total > 1e-12)
        frame = pd.DataFrame({"days": place.astype("float64"), "probability": total[place], "missing": missing})
        for name, value in zip(keys, key if isinstance(key, tuple) else (key,), strict=True):
            frame[name] = value
        frames.append(frame)
    columns = [*keys, "days", "probability", "missing"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame({name: [] for name in columns})


def replace_waiting(parts: pd.DataFrame, *, waiting: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the parts with another waiting for our stock, such as that of a warehouse plan not yet in force.

    Parameters
    ----------
    parts : pandas.DataFrame
        The key, part, days, probability, as from `fit_parts`.
    waiting : pandas.DataFrame
        days [days], probability [fraction] and any of the key's columns: without one, for all. A key without a row there keeps
        its own waiting.
    by : sequence of str
        The key.

    Raises
    ------
    InputError
        The chances of a waiting do not sum to 1, or it is shorter than zero.

    Examples
    --------
    >>> parts = pd.DataFrame({"customer_id": "c", "part": ["waiting", "transport"], "days": [9.0, 2.0], "probability": 1.0})
    >>> instant = pd.DataFrame({"days": [0.0], "probability": [1.0]})
    >>> combine_parts(replace_waiting(parts, waiting=instant, by=["customer_id"]), by=["customer_id"])["days"].tolist()
    [2.0]
    """
    keys = list(by)
    shared = [name for name in keys if name in waiting]
    sums = waiting.groupby(shared, sort=True)["probability"].sum() if shared else pd.Series([waiting["probability"].sum()])
    if ((sums - 1).abs() > 1e-6).any() or (waiting["days"] < 0).any():
        raise InputError(
            expected="a waiting of zero or more days whose chances sum to 1",
            found=f"shortest {waiting['days'].min()} days, sums from {sums.min():.3f} to {sums.max():.3f}",
            fix="Divide by the sum.",
        )
    items = parts[keys].drop_duplicates()
    fresh = (
        items.merge(waiting[[*shared, "days", "probability"]], on=shared, how="inner")
        if shared
        else items.merge(waiting, how="cross")
    )
    fresh = fresh[[*keys, "days", "probability"]].assign(part="waiting")
    index = pd.MultiIndex.from_frame(parts[keys])
    replaced = index.isin(pd.MultiIndex.from_frame(fresh[keys])) & (parts["part"] == "waiting").to_numpy()
    joined = pd.concat([parts[~replaced], fresh[parts.columns.intersection(fresh.columns)]], ignore_index=True)
    return joined.sort_values([*keys, "part", "days"], kind="stable").reset_index(drop=True)


def score_supplier_shares(purchases: pd.DataFrame) -> pd.DataFrame:
    """Return which share of each product's orders goes to which supplier.

    Parameters
    ----------
    purchases : pandas.DataFrame
        supplier_id, product_id; optional quantity [units]: shares of units, else of lines.

    Returns
    -------
    pandas.DataFrame
        product_id, supplier_id, share [fraction]; sorted. A product whose quantities are all zero is shared by lines.
    """
    lines = purchases.groupby(["product_id", "supplier_id"], sort=True).size().astype("float64")
    weight = lines
    if "quantity" in purchases:
        units = purchases.groupby(["product_id", "supplier_id"], sort=True)["quantity"].sum()
        whole = units.groupby(level=0).transform("sum")
        weight = units.where(whole > 0, lines)
    share = weight / weight.groupby(level=0).transform("sum")
    return share.rename("share").reset_index()


def mix_suppliers(lead_times: pd.DataFrame, *, shares: pd.DataFrame) -> pd.DataFrame:
    """Return the lead time of each product bought from several suppliers: their distributions weighted by their shares.

    P(L = l) = Σ_s w_s·P(L_s = l): of the next order, when it is not known to whom it goes. Suppliers without a distribution are
    left out, their share spread over the others, and counted in `known_share`.

    Parameters
    ----------
    lead_times : pandas.DataFrame
        supplier_id, days [days], probability [fraction]; optional product_id; each supplier's own, from `fit_lead_times`.
    shares : pandas.DataFrame
        product_id, supplier_id, share [fraction], as from `score_supplier_shares`.

    Returns
    -------
    pandas.DataFrame
        product_id, days [days], probability [fraction], known_share [fraction]; sorted.

    Examples
    --------
    >>> times = pd.DataFrame({"supplier_id": ["a", "b"], "days": [2.0, 8.0], "probability": 1.0})
    >>> shares = pd.DataFrame({"product_id": "p", "supplier_id": ["a", "b"], "share": [0.75, 0.25]})
    >>> mix_suppliers(times, shares=shares)[["days", "probability"]].values.tolist()
    [[2.0, 0.75], [8.0, 0.25]]
    """
    if (shares["share"] < 0).any() or (lead_times["days"] < 0).any():
        raise InputError(
            expected="shares and lead times of zero or more",
            found=f"least share {shares['share'].min()}, shortest {lead_times['days'].min()} days",
            fix="Correct the purchase orders.",
        )
    keys = ["product_id", "supplier_id"] if "product_id" in lead_times else ["supplier_id"]
    joined = shares.merge(lead_times, on=keys, how="inner")
    known = joined.drop_duplicates(["product_id", "supplier_id"]).groupby("product_id", sort=True)["share"].sum()
    whole = shares.groupby("product_id", sort=True)["share"].sum()
    joined["probability"] *= joined["share"]
    mixed = joined.groupby(["product_id", "days"], sort=True)["probability"].sum().reset_index()
    total = mixed.groupby("product_id")["probability"].transform("sum")
    mixed = mixed[total > 0].assign(probability=mixed["probability"] / total)
    return mixed.assign(known_share=mixed["product_id"].map(known / whole)).reset_index(drop=True)
