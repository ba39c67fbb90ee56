"""Anonymous bands of peers: quartiles over other groups, shown only where nobody can be recognised in them."""

from __future__ import annotations

import math

import pandas as pd

LEAST_PEERS = 5
MOST_OF_TWO = 0.85
_RATE_STEP = 0.02


def round_peer_value(value: float, *, rate: bool) -> float:
    """Return a value as coarse as a peer band may show it: rates to 2 points, others to 2 significant digits.

    Examples
    --------
    >>> round_peer_value(0.9349, rate=True), round_peer_value(61.12, rate=False), round_peer_value(0.0, rate=False)
    (0.94, 61.0, 0.0)
    """
    if value != value or value == 0:
        return value
    if rate:
        return round(round(value / _RATE_STEP) * _RATE_STEP, 2)
    return float(round(value, 1 - math.floor(math.log10(abs(value)))))


def score_peer_bands(groups: pd.DataFrame, *, rates: set[str]) -> pd.DataFrame:
    """Return for each group and KPI the rounded quartiles of the other groups, where the disclosure rule allows it.

    Shown only with at least 5 peers (the reader excluded) of which the largest two hold less than 85 % of the denominator. The
    quartiles of 5, 9 or 13 values are three peers' own values: hence the rounding. Quartiles by linear interpolation
    (Hyndman and Fan, 1996, type 7).

    Parameters
    ----------
    groups : DataFrame
        Columns group, kpi, numerator, denominator; one row per group and KPI.
    rates : set of str
        KPIs that are rates.

    Returns
    -------
    DataFrame
        Columns peer_group (the reader), kpi, q25, q50, q75, peers; sorted.
    """
    rows = groups[(groups["denominator"] > 0) & groups["numerator"].notna()]
    rows = rows.assign(value=rows["numerator"] / rows["denominator"])
    found = []
    for kpi, part in rows.groupby("kpi", sort=True):
        for reader in sorted(groups.loc[groups["kpi"] == kpi, "group"].unique()):
            peers = part[part["group"] != reader]
            largest = peers["denominator"].nlargest(2).sum()
            if len(peers) < LEAST_PEERS or largest >= MOST_OF_TWO * peers["denominator"].sum():
                continue
            quartiles = peers["value"].quantile([0.25, 0.5, 0.75])
            shown = [round_peer_value(float(value), rate=str(kpi) in rates) for value in quartiles]
            found.append((reader, kpi, *shown, len(peers)))
    return pd.DataFrame(found, columns=["peer_group", "kpi", "q25", "q50", "q75", "peers"])
