"""Does stock add up: opening + received − issued ± adjusted = closing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cmi_analysis.tables.issues import Finding, find_rows

_TOLERANCE = 1e-6


def check_balance(
    stock: pd.DataFrame,
    *,
    plus: Sequence[str] = ("received", "adjusted"),
    minus: Sequence[str] = ("issued",),
    closing: str = "on_hand",
    opening: str | None = None,
    by: Sequence[str] = ("customer_id", "product_id"),
    date: str = "date",
) -> pd.DataFrame:
    """Return how far each row is from balancing.

    Parameters
    ----------
    stock : pandas.DataFrame
        One row per item and date. Missing movements count as none.
    plus, minus : sequence of str
        Columns that add to and take from the opening stock.
    closing : str
        Column with the closing stock.
    opening : str, optional
        Column with the opening stock; without it the closing stock of the item's row before is used.
    by : sequence of str
        Columns that name the item.
    date : str
        Column that orders an item's rows.

    Returns
    -------
    pandas.DataFrame
        In the order of `stock`: ``opening``, ``expected`` and ``difference`` (closing − expected), all [units], missing
        where there is no opening; and ``previous_closing``, the closing stock of the item's row before.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": "A", "product_id": "P", "date": pd.to_datetime(["2024-01-31", "2024-02-29"]),
    ...                      "on_hand": [10.0, 12.0], "received": [0.0, 8.0], "issued": [3.0, 5.0], "adjusted": [0.0, 0.0]})
    >>> check_balance(rows)["difference"].tolist()
    [nan, -1.0]
    """
    ordered = stock.sort_values([*by, date], kind="stable")
    previous = ordered.groupby(list(by), sort=False, observed=True)[closing].shift(1).reindex(stock.index)
    begin = stock[opening] if opening else previous
    expected = begin.astype("float64")
    for sign, columns in ((1.0, plus), (-1.0, minus)):
        for column in columns:
            if column in stock:
                expected = expected + sign * stock[column].fillna(0.0)
    return pd.DataFrame(
        {"opening": begin, "expected": expected, "difference": stock[closing] - expected, "previous_closing": previous}
    )


def check_stock(stock: pd.DataFrame) -> list[Finding]:
    """Return the rows of the contract's `stock` that do not balance; none where it has no movements."""
    moves = [column for column in ("received", "issued") if column in stock and stock[column].notna().any()]
    if len(moves) < 2 or stock.empty:
        return []
    balance = check_balance(stock)
    gap = stock.sort_values("date", kind="stable").groupby(["customer_id", "product_id"])["date"].diff().reindex(stock.index)
    # after a missing snapshot the movements in between are unknown
    known = (stock[moves].notna().all(axis=1) & (gap <= 1.5 * gap.median())).to_numpy(dtype=bool)
    broken = (balance["difference"].abs() > _TOLERANCE).to_numpy(dtype=bool) & known
    if not broken.any():
        return []
    share = f"{broken.sum() / max(known.sum(), 1):.1%}"
    shown = "expected " + balance["expected"].map("{:g}".format) + ", is " + stock["on_hand"].map("{:g}".format)
    rows = find_rows(stock, broken, column="on_hand", values=shown.astype("object"))
    return [Finding("stock", "on_hand", "balance", "kept", rows, {"share": share})]


def share_balanced(balance: pd.DataFrame, *, tolerance: float = _TOLERANCE) -> float:
    """Return the share of rows with an opening stock that balance [fraction]; NaN where no row has one.

    Examples
    --------
    >>> share_balanced(pd.DataFrame({"difference": [0.0, 0.0, 2.0, float("nan")]}))
    0.6666666666666666
    """
    known = balance["difference"].dropna()
    return float((known.abs() <= tolerance).mean()) if len(known) else float(np.nan)
