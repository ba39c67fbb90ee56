"""Safety stock shared between sites: what it saves with the measured correlation of their errors, and when it does not pay."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.value_checks import check_fraction, check_not_negative, check_positive

TARGETS = ("constant", "zero")
"""What measured correlations are drawn to: their own mean, or no correlation."""
_TOTAL = ("sites", "periods", "correlation", "target_weight", "apart", "pooled", "uncorrelated", "basis")
_PART = ("site", "sd", "apart", "share", "basis")


def shrink_correlation(errors: np.ndarray, *, towards: str = "constant", weight: float | None = None) -> tuple[np.ndarray, float]:
    """Return the correlation of several series, drawn to a target, and the weight of the target.

    R = (1 − w)·r + w·target, the target 1 on the diagonal and, off it, the mean correlation or 0. Its weight is
    w = Σ Var(r_ij)/Σ (r_ij − target)² over i ≠ j, cut to 0 … 1 (Ledoit and Wolf 2004 in the form of Schäfer and Strimmer 2005,
    section 2.4), or as given. Two sites have one correlation, its own mean, so ``constant`` leaves it as measured. A series that
    does not vary is uncorrelated.

    Parameters
    ----------
    errors : numpy.ndarray
        Periods × sites, none missing, at least two periods.
    towards : str
        One of `TARGETS`.
    weight : float, optional
        Fixed weight of the target [fraction].

    Raises
    ------
    InputError
        An unknown target, a weight not from 0 to 1, or fewer than two periods.

    Returns
    -------
    tuple of numpy.ndarray and float
        Correlation, sites × sites, and weight [fraction].

    Examples
    --------
    >>> r, weight = shrink_correlation(np.array([[1.0, 2.0], [2.0, 4.0], [4.0, 8.0]]), towards="zero", weight=0.25)
    >>> r.round(6).tolist(), weight
    ([[1.0, 0.75], [0.75, 1.0]], 0.25)
    """
    if towards not in TARGETS:
        raise InputError(expected=f"a target out of {', '.join(TARGETS)}", found=f"{towards!r}", fix="Take constant.")
    values = np.asarray(errors, dtype="float64")
    if values.ndim != 2 or len(values) < 2 or not np.isfinite(values).all():
        raise InputError(expected="at least two periods × sites, none missing", found=f"shape {values.shape}", fix="Drop gaps.")
    if weight is not None:
        check_fraction(weight=weight)
    count, sites = values.shape
    sd = values.std(axis=0, ddof=1)
    varies = sd > 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300)
    scaled = np.where(varies, (values - values.mean(axis=0)) / np.where(varies, sd, 1.0), 0.0)
    measured = scaled.T @ scaled / (count - 1)
    off = ~np.eye(sites, dtype=bool) & varies & varies[:, None]
    target = np.where(off, measured[off].mean() if towards == "constant" and off.any() else 0.0, 0.0)
    if weight is None:
        products = scaled[:, :, None] * scaled[:, None, :]
        noise = count / (count - 1) ** 3 * ((products - products.mean(axis=0)) ** 2).sum(axis=0)
        distance = ((measured - target)[off] ** 2).sum()
        weight = float(np.clip(noise[off].sum() / distance, 0.0, 1.0)) if distance > 1e-12 else 0.0
    shrunk = np.where(off, (1 - weight) * measured + weight * target, 0.0)
    np.fill_diagonal(shrunk, 1.0)
    return shrunk, float(weight)


def pool_safety_stock(
    errors: pd.DataFrame,
    *,
    factor: float,
    towards: str = "constant",
    weight: float | None = None,
    least_periods: int = 8,
    protection_days: float | None = None,
    transfer_days: float = 0.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the safety stock of a product held apart at its sites and pooled, with each site's share.

    Pooled k·√(1ᵀΣ1), apart k·Σσ_i, uncorrelated k·√(Σσ_i²); share of site i is σ_i·Σ_j R_ijσ_j/(1ᵀΣ1) (Eppen 1979). Σ is made of
    each site's own standard deviation and the correlation over the periods that all sites have, shrunk by `shrink_correlation`.
    Pooled stock is reached only after the transfer, so it protects longer: times √((protection + transfer)/protection).

    Parameters
    ----------
    errors : pandas.DataFrame
        site, period, error [units, forecast errors over the protection interval]; optional product_id. Missing errors are left
        out.
    factor : float
        Safety factor k.
    towards, weight
        As in `shrink_correlation`.
    least_periods : int
        Fewest periods that all sites must have for the correlation to be measured.
    protection_days, transfer_days : float
        Days that the safety stock protects (L + R), and days that a transfer takes.

    Raises
    ------
    InputError
        A site and period stand twice, a factor or time is out of range, a transfer time without protection days.

    Returns
    -------
    tuple of pandas.DataFrame
        For each product: sites, periods (common), correlation (mean), target_weight, apart, pooled, uncorrelated [units], basis
        (``measured``; ``constant`` where a site's errors do not vary; with ``one site`` or ``too few periods`` pooled is apart).
        For each product and site: sd, apart [units], share [fraction of the pooled stock, may be below zero], basis.

    Examples
    --------
    Two sites whose errors cancel: apart 2·1.15, pooled nothing.

    >>> frame = pd.DataFrame({"site": list("aaaabbbb"), "period": [1, 2, 3, 4] * 2, "error": [1, -1, 1, -1, -1, 1, -1, 1]})
    >>> total, _ = pool_safety_stock(frame, factor=1.0, least_periods=4)
    >>> total[["apart", "pooled"]].round(2).to_numpy().tolist()
    [[2.31, 0.0]]
    """
    check_not_negative(factor=factor, transfer_days=transfer_days, least_periods=least_periods)
    longer = 1.0
    if transfer_days > 0:
        check_positive(protection_days=np.nan if protection_days is None else protection_days)
        longer = float(np.sqrt(1 + transfer_days / float(protection_days or 1.0)))
    rows = errors.dropna(subset=["error"])
    rows = rows if "product_id" in rows else rows.assign(product_id="")
    twice = rows.duplicated(["product_id", "site", "period"])
    if twice.any():
        found = rows.loc[twice, ["site", "period"]].iloc[0].tolist()
        raise InputError(expected="one error for each site and period", found=f"{found} twice", fix="Add them up, or drop one.")
    totals, parts = [], []
    for product, group in rows.groupby("product_id", sort=True):
        total, part = _pool(group, factor=factor, longer=longer, towards=towards, weight=weight, least=least_periods)
        totals.append({"product_id": product} | total)
        parts.append({"product_id": np.repeat(product, total["sites"])} | part)
    total_columns, part_columns = [*_TOTAL], [*_PART]
    if "product_id" in errors:
        total_columns, part_columns = ["product_id", *total_columns], ["product_id", *part_columns]
    summed: dict[str, ArrayLike] = {
        name: np.concatenate([part[name] for part in parts]) if parts else [] for name in part_columns
    }
    return pd.DataFrame(totals, columns=total_columns), pd.DataFrame(summed, columns=part_columns)


def value_pooling(pooled: pd.DataFrame, *, holding_cost: float | pd.Series, extra_cost: float | pd.Series) -> pd.DataFrame:
    """Return whether pooling pays: the holding cost that it saves in a year against what it costs in transport and handling.

    Parameters
    ----------
    pooled : pandas.DataFrame
        apart, pooled [units], basis, as from `pool_safety_stock`.
    holding_cost : float or pandas.Series
        Cost of one unit held for a year [money/unit/year].
    extra_cost : float or pandas.Series
        Transport and handling that pooling adds in a year [money/year].

    Raises
    ------
    InputError
        A cost is missing or below zero.

    Returns
    -------
    pandas.DataFrame
        Rows as `pooled`: saved_stock [units], saved_cost, extra_cost, gain [money/year], pays (bool), reason (``saves more than
        it costs``, ``costs more than it saves``, ``saves no stock``, ``one site``, ``too few periods``).

    Examples
    --------
    >>> frame = pd.DataFrame({"apart": [50.0], "pooled": [40.0], "basis": ["measured"]})
    >>> value_pooling(frame, holding_cost=2.0, extra_cost=30.0)[["gain", "reason"]].to_numpy().tolist()
    [[-10.0, 'costs more than it saves']]
    """
    check_not_negative(holding_cost=holding_cost, extra_cost=extra_cost)
    saved_stock = pooled["apart"] - pooled["pooled"]
    saved_cost = saved_stock * holding_cost
    extra = pd.Series(0.0, index=pooled.index) + extra_cost
    unknown = pooled["basis"].isin(["one site", "too few periods"])
    pays = (saved_cost > extra) & ~unknown
    reason = np.select(
        [unknown, saved_stock <= 1e-9, pays],
        [pooled["basis"].astype(str), "saves no stock", "saves more than it costs"],
        "costs more than it saves",
    )
    return pd.DataFrame(
        {
            "saved_stock": saved_stock,
            "saved_cost": saved_cost,
            "extra_cost": extra,
            "gain": saved_cost - extra,
            "pays": pays,
            "reason": reason,
        },
        index=pooled.index,
    )


def _pool(
    group: pd.DataFrame, *, factor: float, longer: float, towards: str, weight: float | None, least: int
) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Return one product's stock apart and pooled, and the sites' parts."""
    sites, column = np.unique(group["site"].to_numpy(), return_inverse=True)
    periods, row = np.unique(group["period"].to_numpy(), return_inverse=True)
    wide = np.full((len(periods), len(sites)), np.nan)
    wide[row, column] = group["error"].to_numpy(dtype="float64")
    known = np.isfinite(wide)
    count = known.sum(axis=0)
    gap = np.where(known, wide - np.where(known, wide, 0.0).sum(axis=0) / count, 0.0)
    sd = np.sqrt((gap**2).sum(axis=0) / np.maximum(count - 1, 1))
    common = wide[known.all(axis=1)]
    few = len(common) < max(least, 2)
    basis = "one site" if len(sites) < 2 else "too few periods" if few else "constant" if (sd <= 1e-12).any() else "measured"
    if basis in ("one site", "too few periods"):
        correlation, drawn, longer = np.ones((len(sd), len(sd))), 0.0, 1.0
    else:
        correlation, drawn = shrink_correlation(common, towards=towards, weight=weight)
    covariance = sd[:, None] * correlation * sd
    variance = max(float(covariance.sum()), 0.0)
    off = correlation[~np.eye(len(sd), dtype=bool)]
    total = {
        "sites": len(sd),
        "periods": len(common),
        "correlation": float(off.mean()) if len(off) else 1.0,
        "target_weight": drawn,
        "apart": factor * float(sd.sum()),
        "pooled": factor * float(np.sqrt(variance)) * longer,
        "uncorrelated": factor * float(np.sqrt((sd**2).sum())),
        "basis": basis,
    }
    share = np.divide(covariance.sum(axis=1), variance, out=np.full(len(sd), 1 / len(sd)), where=variance > 1e-24)
    return total, {"site": sites, "sd": sd, "apart": factor * sd, "share": share, "basis": np.repeat(basis, len(sd))}
