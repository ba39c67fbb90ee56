"""Replay of real stock: what happened with the supply that there was, had it been shared by need, or been enough.

Order of events in a period: the supply of the period arrives (shared among the sites by what was known when it began); booked
adjustments are booked here too, as far as there is stock; demand is met from stock, the rest is lost. In the line of full supply
an order placed at the end of period t with lead time L is on the shelf before the demand of period t + L + 1.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.stock_history import StockHistory, live_items

_SPREADS = np.geomspace(0.02, 30.0, 60)
_ORIGINS = 3
"""Periods before the first forecast error that is measured."""


def mean_use(known: StockHistory, *, window: int = 12, prior_periods: float = 1.0) -> np.ndarray:
    """Return each item's forecast of demand in a period: the mean of the last `window` reported periods, drawn to its product.

    A period that ended empty counts with what was issued or with the mean of the item's other periods, whichever is more. The
    product's mean over sites counts like `prior_periods` periods, so that an item without history has a forecast too.

    Examples
    --------
    Use of 4 and 6 with stock, then 1 in a period that ended empty: 5 counts for it.

    >>> from cmi_analysis.inventory.stock_history import lay_out_history
    >>> stock = pd.DataFrame({"customer_id": "a", "product_id": "p", "date": pd.date_range("2017-01-31", periods=3, freq="ME"),
    ...     "on_hand": [9, 1, 0], "received": [0, 0, 0], "issued": [4, 6, 1], "adjusted": 0})
    >>> float(mean_use(lay_out_history(stock))[0])
    5.0
    """
    issued, reported, stocked = (table[:, -window:] for table in (known.issued, known.reported, known.in_stock))
    product = known.items["product_id"].to_numpy()
    names, which = np.unique(product, return_inverse=True)
    used = np.bincount(which, np.where(stocked, issued, 0.0).sum(axis=1), len(names))
    count = np.bincount(which, stocked.sum(axis=1), len(names))
    prior = np.maximum(np.divide(used, count, out=np.zeros(len(names)), where=count > 0), 1e-3)[which]
    own = (np.where(stocked, issued, 0.0).sum(axis=1) + prior_periods * prior) / (stocked.sum(axis=1) + prior_periods)
    empty = reported & ~stocked
    filled = np.where(stocked, issued, np.where(empty, np.maximum(issued, own[:, None]), 0.0))
    mean: np.ndarray = (filled.sum(axis=1) + prior_periods * prior) / (reported.sum(axis=1) + prior_periods)
    return mean


def fit_spread(history: StockHistory, *, first: int, last: int, length: int) -> dict[str, float]:
    """Return each product's θ in Var = F + θ·F² of demand over `length` periods around its forecast F; under "" all together.

    θ is the one of a grid with the highest negative binomial likelihood of what came, over all origins from `first` to
    `last` − `length` (the forecast knows the periods before the origin only) and items with stock in all periods of the block.
    """
    found: dict[str, list[np.ndarray]] = {}
    for origin in range(first, last - length + 1):
        forecast = length * mean_use(history.until(origin))
        block = slice(origin, origin + length)
        whole = history.in_stock[:, block].all(axis=1)
        rows = np.stack([forecast, history.issued[:, block].sum(axis=1)])
        for name in np.unique(history.items["product_id"]):
            found.setdefault(str(name), []).append(rows[:, whole & (history.items["product_id"] == name).to_numpy()])
    blocks = {name: np.concatenate(parts, axis=1) for name, parts in found.items()}
    pooled = _likeliest(np.concatenate(list(blocks.values()), axis=1))
    known = {name: _likeliest(rows) for name, rows in blocks.items() if rows.shape[1] >= 30}
    return {str(name): known.get(str(name), pooled) for name in np.unique(history.items["product_id"])} | {"": pooled}


def _likeliest(rows: np.ndarray) -> float:
    mean, came = np.maximum(rows[0], 1e-6), rows[1]
    shape = 1 / _SPREADS[:, None]
    log = scipy.special.gammaln(came + shape) - scipy.special.gammaln(shape) + came * np.log(mean / (mean + shape))
    return float(_SPREADS[(log + shape * np.log(shape / (mean + shape))).sum(axis=1).argmax()])


def cover_level(mean: np.ndarray, *, spread: np.ndarray, service: np.ndarray | float) -> np.ndarray:
    """Return the smallest whole stock that covers negative binomial demand with at least the chance `service`.

    Parameters
    ----------
    mean, spread : numpy.ndarray
        Mean demand, and θ in Var = mean + θ·mean² [units, −].
    service : float or numpy.ndarray
        P(D ≤ stock) to reach [fraction].

    Examples
    --------
    Geometric demand with mean 1 (θ = 1): P(D ≤ y) = 1 − (1/2)^(y + 1), so 95 % needs 4.

    >>> cover_level(np.array([1.0]), spread=np.array([1.0]), service=0.95).tolist()
    [4.0]
    """
    return _quantile(np.broadcast_to(1.0 - np.asarray(service), mean.shape), mean, spread)


def _quantile(chance_above: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the smallest whole y with P(D > y) ≤ chance_above of negative binomial demand."""
    shape = 1 / spread
    stays = shape / (shape + mean)
    low, high = np.full(mean.shape, -1.0), np.ceil(mean + 60 * np.sqrt(mean + spread * mean**2)) + 60
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = scipy.special.betainc(middle + 1, shape, 1 - stays) <= chance_above
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return high


def share_by_shortage(
    stock: np.ndarray, *, mean: np.ndarray, spread: np.ndarray, product: np.ndarray, available: np.ndarray
) -> np.ndarray:
    """Return how each product's supply is shared so that the expected shortage of all its sites together is least.

    Unit by unit to the site with the highest P(D > stock + share), which is what one more unit takes off the expected shortage;
    so all sites end at one chance of a shortage, except those that have more already (equal fractile: Zipkin 2000, section 8.5).
    Supply beyond any need is shared by mean demand.

    Parameters
    ----------
    stock, mean, spread : numpy.ndarray
        Of each item: stock now, mean demand until the supply after this one can help, θ in Var = mean + θ·mean² [units].
    product : numpy.ndarray of int
        Each item's product.
    available : numpy.ndarray
        Whole units of each product, all of which are shared [units].

    Examples
    --------
    Three units for two sites with the same demand of 2 and stocks of 0 and 1: both end at 2.

    >>> share_by_shortage(np.array([0.0, 1.0]), mean=np.array([2.0, 2.0]), spread=np.array([0.5, 0.5]),
    ...     product=np.array([0, 0]), available=np.array([3.0])).tolist()
    [2.0, 1.0]
    """
    low, high = np.full(len(available), -18.0), np.zeros(len(available))

    def shares(log_chance: np.ndarray) -> np.ndarray:
        wanted: np.ndarray = np.maximum(_quantile(np.exp(log_chance[product]), mean, spread) - stock, 0.0)
        return wanted

    for _ in range(40):
        middle = (low + high) / 2
        enough = np.bincount(product, shares(middle), len(available)) <= available
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    given = shares(high)
    rest = available - np.bincount(product, given, len(available))
    surplus = rest > np.bincount(product, minlength=len(available))
    part = np.where(surplus[product], rest[product] * mean / np.bincount(product, mean, len(available))[product], 0.0)
    given += np.floor(part)
    rest = available - np.bincount(product, given, len(available))
    chance = scipy.special.betainc(stock + given + 1, 1 / spread, mean * spread / (1 + mean * spread))
    order = np.lexsort((-chance, product))
    place = np.arange(len(order)) - np.searchsorted(product[order], product[order], side="left")
    given[order] += place < rest[product[order]]
    return given


def spread_of(history: StockHistory, spread: dict[str, float]) -> np.ndarray:
    """Return each item's θ from its product's, or from all together where the product has none."""
    return np.array([spread.get(str(name), spread[""]) for name in history.items["product_id"]])


def impute_use(history: StockHistory, *, spread: dict[str, float], paths: int, seed: int) -> np.ndarray:
    """Return demand paths: what was issued, and for periods that ended empty a draw of at least that.

    The draw is negative binomial with the mean of the item's periods with stock (drawn to its product) and the product's
    one-period θ, given that demand was not below what was issued.

    Returns
    -------
    numpy.ndarray
        Paths × items × periods; zero where nothing was reported [units].
    """
    random = np.random.default_rng(seed)
    empty = np.broadcast_to(history.reported & ~history.in_stock, (paths, *history.issued.shape))
    demand = np.broadcast_to(history.issued, empty.shape).copy()
    _, item, _ = np.nonzero(empty)
    theta = spread_of(history, spread)[item]
    mean = mean_use(history, window=len(history.periods))[item]
    issued = demand[empty]
    chance = scipy.special.betainc(np.maximum(issued, 1.0), 1 / theta, mean * theta / (1 + mean * theta))
    above = np.where(issued > 0, chance, 1.0) * random.random(len(issued))
    demand[empty] = np.maximum(_quantile(np.maximum(above, 1e-9), mean, theta), issued)
    return demand


def replay_supply(
    history: StockHistory,
    demand: np.ndarray,
    *,
    first: int,
    spread: dict[str, float],
    cover: int = 2,
    full: bool = False,
    lead_time: int = 1,
    service: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    """Return stock at the end of each period and what was issued, had the supply been shared by need (or been enough).

    Shared: each period every product's actual receipts of all sites together are shared by `share_by_shortage` over the demand
    of the next `cover` periods. Full: at the end of each period each site orders up to the level that covers `lead_time` + 1
    periods with the chance `service`, and gets it; what was received in the first `lead_time` periods was under way already.
    Both use only reports of earlier periods. An item that does not report a period neither gets nor uses anything in it; where
    its opening differs from the closing before, the difference is booked like an adjustment.

    Parameters
    ----------
    history : StockHistory
        Of the items that are carried.
    demand : numpy.ndarray
        Paths × items × periods, as from `impute_use` [units].
    first : int
        First period that is replayed; up to the last.
    spread : dict
        θ of each product's demand over the protected periods, as from `fit_spread`.

    Returns
    -------
    tuple of numpy.ndarray
        Closing stock and issued quantity, paths × items × replayed periods [units].
    """
    paths, items, periods = demand.shape
    names, product = np.unique(history.items["product_id"].to_numpy(), return_inverse=True)
    theta = spread_of(history, spread)
    last_closing = _last_closing(history)
    stock = np.broadcast_to(last_closing[:, first], (paths, items)).copy()
    booked = np.where(history.reported, history.adjusted + history.opening - last_closing[:, :-1], 0.0)
    arrivals = np.zeros((paths, items, periods + lead_time + 1))
    arrivals[:, :, first : first + lead_time] = history.received[:, first : first + lead_time]
    closing, issued = np.zeros((2, paths, items, periods - first))
    for t in range(first, periods):
        reports = history.reported[:, t]
        mean = mean_use(history.until(t))
        if full:
            level = cover_level((lead_time + 1) * mean, spread=theta, service=service)
            order = np.maximum(level - stock - arrivals[:, :, t:].sum(axis=2), 0.0)
            arrivals[:, :, t + lead_time] += order * reports
            stock += arrivals[:, :, t]
        else:
            available = np.bincount(product, history.received[:, t], len(names))
            stock[:, reports] += _shared(stock[:, reports], cover * mean[reports], theta[reports], product[reports], available)
        stock = np.maximum(stock + booked[:, t], 0.0)
        met = np.minimum(demand[:, :, t], stock)
        stock -= met
        closing[:, :, t - first], issued[:, :, t - first] = stock, met
    return closing, issued


def _last_closing(history: StockHistory) -> np.ndarray:
    """Return the last reported closing before each period and after the last, items × (periods + 1); zero where there is none."""
    table = np.zeros((len(history.items), len(history.periods) + 1))
    for t in range(len(history.periods)):
        table[:, t + 1] = np.where(history.reported[:, t], history.closing[:, t], table[:, t])
    return table


def _shared(stock: np.ndarray, mean: np.ndarray, spread: np.ndarray, product: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Return the shares of all paths at once: each path's products are products of their own."""
    paths, count = len(stock), len(available)
    own = (product + count * np.arange(paths)[:, None]).ravel()
    shares = share_by_shortage(
        stock.ravel(),
        mean=np.tile(mean, paths),
        spread=np.tile(spread, paths),
        product=own,
        available=np.tile(available, paths),
    )
    return shares.reshape(stock.shape)


def score_replay(
    history: StockHistory, demand: np.ndarray, closing: np.ndarray, issued: np.ndarray, *, first: int
) -> dict[str, float]:
    """Return the stock-out share and the stock of one line over the item-periods that were reported.

    Parameters
    ----------
    closing, issued : numpy.ndarray
        Paths × items × replayed periods [units].

    Returns
    -------
    dict
        stockout_share (item-periods that ended empty; mean over the paths), stockout_low, stockout_high (lowest and highest
        path) [fraction], stock_months (mean stock at the end over mean issue) [periods], issued, demand (mean over the paths)
        [units], fill (issued over demand) [fraction], item_periods [count].
    """
    reported = history.reported[:, first:]
    shares = [(path[reported] <= 0).mean() for path in closing]
    total, wanted = issued[:, reported].sum(axis=1).mean(), demand[:, :, first:][:, reported].sum(axis=1).mean()
    return {
        "stockout_share": float(np.mean(shares)),
        "stockout_low": float(np.min(shares)),
        "stockout_high": float(np.max(shares)),
        "stock_months": float(closing[:, reported].sum(axis=1).mean() / max(total, 1e-9)),
        "issued": float(total),
        "demand": float(wanted),
        "fill": float(total / wanted) if wanted > 0 else 1.0,
        "item_periods": float(reported.sum()),
    }


def replay_lines(
    history: StockHistory,
    *,
    first: int,
    cover: int = 2,
    lead_time: int = 1,
    service: float = 0.95,
    paths: int = 5,
    seed: int = 1,
) -> pd.DataFrame:
    """Return what happened, the shared supply and the full supply side by side, from period `first` to the last.

    The spread of demand around its forecast is measured on the periods before `first` only. Items without stock, receipt or use
    from `first` on are not carried and left out.

    Parameters
    ----------
    history : StockHistory
        As from `lay_out_history`.
    first : int
        First period that is replayed; at least six periods must come before it.
    cover, lead_time, service
        As in `replay_supply`.
    paths : int
        Imputed demand paths.
    seed : int
        Seed of their random numbers.

    Raises
    ------
    InputError
        There are fewer than six periods before `first`, or none from it on.

    Returns
    -------
    pandas.DataFrame
        line (``actual``, ``shared``, ``full``) and the columns of `score_replay`, with the number of items.
    """
    if not 6 <= first < len(history.periods):
        raise InputError(
            expected="six periods or more before the replay, and one to replay",
            found=f"{len(history.periods)} periods and a replay from number {first}",
            fix="Give a longer history.",
        )
    known = history.until(first)
    one, many = (fit_spread(known, first=_ORIGINS, last=first, length=length) for length in (1, lead_time + 1))
    carried = history.keep(live_items(history, first=first))
    demand = impute_use(carried, spread=one, paths=paths, seed=seed)
    lines = {"actual": (carried.closing[None, :, first:], carried.issued[None, :, first:])}
    for line, full in (("shared", False), ("full", True)):
        settings = {"cover": cover, "lead_time": lead_time, "service": service, "full": full}
        lines[line] = replay_supply(carried, demand, first=first, spread=many, **settings)
    rows = [{"line": line} | score_replay(carried, demand, *tables, first=first) for line, tables in lines.items()]
    return pd.DataFrame(rows).assign(items=len(carried.items))
