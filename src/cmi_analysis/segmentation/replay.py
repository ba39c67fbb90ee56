"""Who was served when stock was short, and who would have been by the segments' priorities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError

_ROUNDING = 1e-9


def replay_shortages(lines: pd.DataFrame, *, priorities: Mapping[str, int]) -> pd.DataFrame:
    """Return for each order line in a shortage what it got and what it would have got by strict priority of its segment.

    Parameters
    ----------
    lines : pandas.DataFrame
        ``customer_id``, ``segment``, ``product_id``, ``period`` [date: lines of one product and period compete], ``ordered`` (the
        quantity first requested), ``delivered`` [sales units]; optional ``warehouse_id``: only lines of one warehouse compete.
    priorities : mapping of str to int
        Rank of each segment, 1 is served first.

    Returns
    -------
    pandas.DataFrame
        The lines of those products and periods in which less came than was ordered, with ``by_priority`` [sales units], sorted by
        product, period, rank and customer. What came in all is the same: a shortage is only shared otherwise.

    Raises
    ------
    InputError
        A segment has no rank, or a quantity is negative.

    Notes
    -----
    Strict priority: a rank gets what the ranks before it left; inside a rank everyone gets the same share of its own order. A
    line never gets more than it ordered. More than ordered that came (over-delivery) is not shared out. Nobody's later orders are
    changed: a customer served then would have ordered less afterwards, so this is who would have been served, not how it would
    have gone on.

    Examples
    --------
    100 came for 60 + 60 + 40 ordered. The first rank gets its 60, the second shares 40 over 100.

    >>> lines = pd.DataFrame({"customer_id": list("abc"), "segment": ["top", "other", "other"], "product_id": "P", "period": 1})
    >>> lines = lines.assign(ordered=[60.0, 60.0, 40.0], delivered=[20.0, 50.0, 30.0])
    >>> replay_shortages(lines, priorities={"top": 1, "other": 2})["by_priority"].tolist()
    [60.0, 24.0, 16.0]
    """
    unknown = sorted(set(lines["segment"].astype(str)) - set(priorities))
    if unknown or (lines[["ordered", "delivered"]] < 0).any(axis=None):
        raise InputError(
            expected="a rank for every segment and quantities of at least 0",
            found=f"no rank for {', '.join(unknown)}" if unknown else "a negative quantity",
            fix="Complete the priorities." if unknown else "Take returns out of the lines.",
        )
    keys = [*(["warehouse_id"] if "warehouse_id" in lines else []), "product_id", "period"]
    rows = lines.assign(
        rank=lines["segment"].map(priorities).astype("int64"), came=np.minimum(lines["delivered"], lines["ordered"])
    )
    total = rows.groupby(keys, observed=True)[["ordered", "came"]].transform("sum")
    rows = rows.loc[total["came"] < total["ordered"] - _ROUNDING]
    rows = rows.sort_values([*keys, "rank", "customer_id"], kind="stable", ignore_index=True)
    if rows.empty:
        return rows.assign(by_priority=pd.Series(dtype="float64")).drop(columns=["came"])
    by_rank = rows.groupby([*keys, "rank"], observed=True, sort=True)[["ordered", "came"]].sum().reset_index()
    grouped = by_rank.groupby(keys, observed=True)
    left = grouped["came"].transform("sum") - (grouped["ordered"].cumsum() - by_rank["ordered"])
    by_rank["share"] = np.clip(left, 0.0, by_rank["ordered"]) / by_rank["ordered"].where(by_rank["ordered"] > 0, 1.0)
    rows = rows.merge(by_rank[[*keys, "rank", "share"]], on=[*keys, "rank"], how="left")
    return rows.assign(by_priority=rows["ordered"] * rows["share"]).drop(columns=["came", "share"])


def sum_replay(replayed: pd.DataFrame) -> pd.DataFrame:
    """Return the replay by segment: ``segment``, ``ordered``, ``delivered``, ``by_priority`` [sales units], ``served_share``,
    ``served_by_priority`` [fraction of the ordered], first rank first.
    """
    sums = replayed.assign(delivered=np.minimum(replayed["delivered"], replayed["ordered"]))
    result = (
        sums.groupby(["rank", "segment"], observed=True, sort=True)[["ordered", "delivered", "by_priority"]].sum().reset_index()
    )
    some = result["ordered"].where(result["ordered"] > 0)
    return result.assign(served_share=result["delivered"] / some, served_by_priority=result["by_priority"] / some)
