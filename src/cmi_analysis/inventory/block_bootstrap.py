"""Lead-time demand from the forecast's own errors: whole runs of errors of one origin, as long as the protection interval."""

from __future__ import annotations

import numpy as np

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.demand_distributions import weigh_samples
from cmi_analysis.inventory.lead_time_demand import LeadTimeDemand


def collect_error_sums(errors: np.ndarray, *, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the first `periods` errors of each origin, and of the later runs of the same length of that origin.

    A run never goes from the end of one origin's errors to the start of another's, nor over a missing period.

    Parameters
    ----------
    errors : numpy.ndarray
        Items × origins × horizons: actual − forecast [units]; missing where not known.
    periods : int
        Length of a run.

    Returns
    -------
    tuple of numpy.ndarray
        Items × (origins · starts) of sums [units], missing where a run is not whole; and for each column its start (0 = the first
        period after the origin).

    Raises
    ------
    InputError
        The errors do not reach that far ahead: they cannot be glued together.

    Examples
    --------
    >>> sums, start = collect_error_sums(np.array([[[1.0, 2.0, 3.0], [10.0, 20.0, np.nan]]]), periods=2)
    >>> sums.tolist(), start.tolist()
    ([[3.0, 5.0, 30.0, nan]], [0, 1, 0, 1])
    """
    table = np.asarray(errors, dtype="float64")
    if not 1 <= periods <= table.shape[2]:
        raise InputError(
            expected=f"a protection interval of 1 to {table.shape[2]} periods, as far as the back-test looked ahead",
            found=f"{periods} periods",
            fix="Back-test with a longer horizon: errors of different origins cannot be glued end to start.",
        )
    runs = np.lib.stride_tricks.sliding_window_view(table, periods, axis=2).sum(axis=3)
    start = np.tile(np.arange(runs.shape[2]), table.shape[1])
    return runs.reshape(len(table), -1), start


def bootstrap_lead_time_demand(
    errors: np.ndarray,
    *,
    forecast: np.ndarray,
    times: np.ndarray,
    chances: np.ndarray,
    review: int = 0,
    pooled_weight: float = 4.0,
    scale: np.ndarray | None = None,
) -> tuple[LeadTimeDemand, LeadTimeDemand]:
    """Return demand over L + R and over L as forecast plus the error sums that the forecast made over just that long.

    All runs of errors count alike (the bootstrap's limit without drawing); those of the other items, scaled, count together as
    `pooled_weight` runs, so a short back-test still has tails. Bias stays in. Demand below zero counts as zero.

    Parameters
    ----------
    errors : numpy.ndarray
        Items × origins × horizons: actual − forecast [units].
    forecast : numpy.ndarray
        Items × periods: mean forecast from now on [units].
    times, chances : numpy.ndarray
        Whole lead times of each item [periods] and their chances.
    review : int
        Review period [periods].
    pooled_weight : float
        Own runs (counted without overlap) that the other items' runs count for [count]; 0: own runs only.
    scale : numpy.ndarray, optional
        Size by which an item's errors are compared with others' [units]; else the root mean square of its one-period errors.

    Raises
    ------
    InputError
        The forecast or the back-test does not reach over the protection interval, or an item has no whole run and no pool.

    Examples
    --------
    >>> _, lead = bootstrap_lead_time_demand(np.array([[[1.0, -1.0], [3.0, 1.0]]]), forecast=np.array([[5.0, 5.0]]),
    ...     times=np.array([[2]]), chances=np.array([[1.0]]), pooled_weight=0.0)
    >>> lead.values.tolist()
    [[10.0, 14.0]]
    """
    table, mean = np.asarray(errors, dtype="float64"), np.atleast_2d(np.asarray(forecast, dtype="float64"))
    if not np.isfinite(table).any():
        raise InputError(expected="at least one known forecast error", found="none", fix="Back-test the forecast first.")
    lead = np.broadcast_to(np.atleast_2d(times), (len(table), np.atleast_2d(times).shape[1])).astype("int64")
    share = np.broadcast_to(np.atleast_2d(chances), lead.shape)
    total = np.concatenate([np.zeros((len(mean), 1)), mean.cumsum(axis=1)], axis=1)
    if (lead + review).max() >= total.shape[1] or lead.min() < 0:
        raise InputError(
            expected=f"lead time and review of 0 to {mean.shape[1]} periods, as long as the forecast",
            found=f"{lead.min()} to {(lead + review).max()}",
            fix="Forecast further ahead.",
        )
    known = np.isfinite(table)
    square = np.where(known, table, 0.0) ** 2
    size = np.sqrt(square.sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)) if scale is None else np.asarray(scale)
    found = []
    for extra in (review, 0):
        parts = [
            _of_length(table, total, length, np.where(lead + extra == length, share, 0.0).sum(axis=1), size, pooled_weight)
            for length in np.unique(lead + extra)
        ]
        values, weights = (np.concatenate([part[side] for part in parts], axis=1) for side in (0, 1))
        found.append(weigh_samples(values, weights))
    return found[0], found[1]


def _of_length(
    table: np.ndarray, total: np.ndarray, length: int, share: np.ndarray, size: np.ndarray, pooled_weight: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return demand over `length` periods, items × samples, and its weights, which sum to `share`."""
    if length == 0:
        return np.zeros((len(table), 1)), share[:, None]
    sums, _ = collect_error_sums(table, periods=int(length))
    whole = np.isfinite(sums)
    own = whole.sum(axis=1) / length
    samples, weights = np.where(whole, sums, 0.0), whole / np.maximum(whole.sum(axis=1, keepdims=True), 1)
    if pooled_weight > 0:
        usable = size > 0
        standard = sums[usable] / size[usable, None]
        pool = standard[np.isfinite(standard)]
        pool = np.quantile(pool, (np.arange(200) + 0.5) / 200) if len(pool) > 200 else pool
        if len(pool):
            samples = np.concatenate([samples, size[:, None] * pool], axis=1)
            mixed = own / (own + pooled_weight)
            rest = np.broadcast_to((1 - mixed)[:, None] / len(pool), (len(table), len(pool)))
            weights = np.concatenate([weights * mixed[:, None], rest], axis=1)
    if not np.allclose(weights.sum(axis=1), 1.0):
        raise InputError(
            expected=f"a whole run of {length} errors for each item, or some to pool",
            found=f"{int((own == 0).sum())} items without one",
            fix="Set pooled_weight above zero, or back-test with more origins.",
        )
    return np.maximum(total[:, length, None] + samples, 0.0), weights * share[:, None]
