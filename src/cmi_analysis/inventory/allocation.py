"""Who gets what when supply is short: by priority, then in proportion to need, never to what was ordered."""

from __future__ import annotations

import numpy as np
import pandas as pd


def allocate_by_need(needs: pd.DataFrame, supply: pd.DataFrame) -> pd.DataFrame:
    """Return how much of a short supply each customer gets.

    Per product, class by class of `priority` (1 first): a class whose needs the rest of the supply covers gets them all; the
    class it does not cover shares the rest in proportion to need. Need = forecast to the next receipt − stock at the site − what
    is under way; what a customer *ordered* plays no part, so a doubled order earns nothing.

    Parameters
    ----------
    needs : pandas.DataFrame
        customer_id, product_id, need [units]; optional priority (1 first; missing counts last).
    supply : pandas.DataFrame
        product_id, available [units].

    Returns
    -------
    pandas.DataFrame
        customer_id, product_id, priority, need, available, allocated, short [units]; only products with less than is needed.

    Examples
    --------
    >>> needs = pd.DataFrame({"customer_id": list("abc"), "product_id": "p", "need": [4.0, 6.0, 2.0], "priority": [1, 2, 2]})
    >>> allocate_by_need(needs, pd.DataFrame({"product_id": ["p"], "available": [8.0]}))["allocated"].tolist()
    [4.0, 3.0, 1.0]
    """
    rows = needs.assign(need=needs["need"].clip(lower=0).fillna(0.0))
    rows["priority"] = rows["priority"].astype("float64") if "priority" in rows else np.nan
    rows["class"] = rows["priority"].fillna(np.inf)
    rows = rows.merge(supply[["product_id", "available"]].groupby("product_id", as_index=False, sort=True).sum(), on="product_id")
    rows["available"] = rows["available"].clip(lower=0)
    total = rows.groupby("product_id")["need"].transform("sum")
    rows = rows[(total > rows["available"]) & (rows["need"] > 0)]
    by_class = rows.groupby(["product_id", "class"], sort=True)["need"].sum()
    earlier = (by_class.groupby(level=0).cumsum() - by_class).rename("earlier")
    rows = rows.merge(pd.DataFrame({"earlier": earlier, "class_need": by_class}).reset_index(), on=["product_id", "class"])
    left = (rows["available"] - rows["earlier"]).clip(lower=0)
    rows["allocated"] = rows["need"] * (left / rows["class_need"]).clip(upper=1)
    rows["short"] = rows["need"] - rows["allocated"]
    columns = ["customer_id", "product_id", "priority", "need", "available", "allocated", "short"]
    return rows.sort_values(["product_id", "class", "customer_id"], kind="stable")[columns].reset_index(drop=True)
