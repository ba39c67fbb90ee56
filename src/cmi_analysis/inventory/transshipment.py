"""Lateral transshipment: proposals to move stock of one product between sites of a group before the next delivery."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.value_checks import check_not_negative, check_positive

_COLUMNS = ["from_customer_id", "to_customer_id", "quantity", "avoided_shortage", "caused_shortage", "benefit", "cost", "gain"]
_NAMES = ("from_customer_id", "to_customer_id", "method")
_EXACT_PAIRS = 30
_NODES = 2000


def propose_transfers(
    sites: pd.DataFrame,
    *,
    shortage: np.ndarray,
    shortage_cost: ArrayLike,
    transfer_days: ArrayLike,
    unit_cost: ArrayLike = 0.0,
    transfer_cost: ArrayLike = 0.0,
    pack: float = 1.0,
) -> pd.DataFrame:
    """Return the transfers between sites that together gain most.

    Gain = Σ p·(n(s) − n(s + in)) at receivers − Σ p·(n(s − out) − n(s)) at senders − unit and transfer costs, n the expected
    shortage until the site's next delivery (reactive transshipment of one product, decided once: Paterson, Kiesmüller, Teunter
    and Glazebrook 2011 review the models). A sender keeps at least its own level; a transfer must arrive before the receiver's
    next delivery; none is proposed whose benefit is not above its cost. Greedy: again and again the pair and quantity with the
    greatest gain. Where at most 30 pairs of sites can gain, a mixed integer programme over packs and transfers finds the optimum
    (``exact``).

    Parameters
    ----------
    sites : pandas.DataFrame
        customer_id, stock [units], own_level [units that the site keeps for itself], next_delivery_days [days].
    shortage : numpy.ndarray
        Expected shortage of each site with a stock of 0, 1, 2, … units, sites × grid [units]; it must fall, by less and less, as
        every E(X − y)⁺ does. Between whole units by a straight line, above the grid as at its end.
    shortage_cost : array_like
        Cost of one unit short, of all or each site [money/unit].
    transfer_days : array_like
        Days that a transfer takes, one number or sites × sites (from, to).
    unit_cost : array_like
        Cost of moving one unit, one number or sites × sites [money/unit].
    transfer_cost : array_like
        Cost of one transfer whatever its quantity, one number or sites × sites [money].
    pack : float
        Transfers are whole packs of so many units.

    Raises
    ------
    InputError
        Missing stock, costs or times out of range, a site named twice, or a curve that is not one of expected shortage.

    Returns
    -------
    pandas.DataFrame
        from_customer_id, to_customer_id, quantity, avoided_shortage, caused_shortage [units], benefit, cost, gain [money], method
        (``exact`` or ``greedy``); the largest transfer first, each counted after those above it.

    Examples
    --------
    One site has 4 and needs nothing; the other has 0 and needs 2 for certain; a unit short costs 5, a unit moved 1, a trip 3.

    >>> frame = pd.DataFrame({"customer_id": ["a", "b"], "stock": [4, 0], "own_level": [0, 0], "next_delivery_days": [9, 9]})
    >>> curves = np.array([[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]])
    >>> propose_transfers(frame, shortage=curves, shortage_cost=5, transfer_days=2, unit_cost=1, transfer_cost=3
    ...     )[["quantity", "benefit", "cost"]].to_numpy().tolist()
    [[2.0, 10.0, 5.0]]
    """
    count = len(sites)
    check_positive(pack=pack)
    curves, price = np.asarray(shortage, dtype="float64"), np.broadcast_to(np.asarray(shortage_cost, dtype="float64"), count)
    days, each, trip = (
        np.broadcast_to(np.asarray(value, dtype="float64"), (count, count)) for value in (transfer_days, unit_cost, transfer_cost)
    )
    check_not_negative(shortage_cost=price, transfer_days=days, unit_cost=each, transfer_cost=trip)
    stock, spare = _check_sites(sites, curves, pack=pack)
    useful, lost = _steps(curves, stock, price, pack=pack, spare=spare)
    arrives = days < sites["next_delivery_days"].to_numpy(dtype="float64")
    first_gain = useful[:, :1].T - each * pack - lost[:, :1]
    senders, receivers = np.nonzero(arrives & (spare[:, None] > 0) & (first_gain > 1e-9) & ~np.eye(count, dtype=bool))
    if not len(senders):
        return pd.DataFrame({name: pd.Series(dtype="object" if name in _NAMES else "float64") for name in [*_COLUMNS, "method"]})
    pairs, method = (senders, receivers), "greedy"
    terms = {
        "useful": useful,
        "lost": lost,
        "spare": spare,
        "each": each[senders, receivers] * pack,
        "trip": trip[senders, receivers],
    }
    packs = _choose(pairs, **terms)
    if len(senders) <= _EXACT_PAIRS:
        best = _optimise(pairs, **terms)
        packs, method = (packs, method) if best is None else (best, "exact")
    rows = _count(sites, pairs, quantity=packs * pack, curves=curves, stock=stock, price=price, each=each, trip=trip)
    return rows.assign(method=method)


def _at(curve: np.ndarray, stock: np.ndarray) -> np.ndarray:
    """Return the expected shortage at a stock: between whole units by a straight line; a backlog is short for certain."""
    return np.interp(stock, np.arange(len(curve)), curve) + np.maximum(-stock, 0.0)


def _steps(
    curves: np.ndarray, stock: np.ndarray, price: np.ndarray, *, pack: float, spare: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each further pack saves a receiver and costs a sender, sites × packs [money]."""
    reach = max(curves.shape[1] - 1 - float(stock.min()), 0.0)
    most = max(min(int(spare.sum()), int(np.ceil(reach / pack))), 1)
    into, out = pack * np.arange(most + 1), pack * np.arange(max(int(spare.max()), 1) + 1)
    filled = np.array([_at(curve, have + into) for curve, have in zip(curves, stock, strict=True)])
    emptied = np.array([_at(curve, have - out) for curve, have in zip(curves, stock, strict=True)])
    return -np.diff(filled, axis=1) * price[:, None], np.diff(emptied, axis=1) * price[:, None]


def _choose(
    pairs: tuple[np.ndarray, np.ndarray],
    *,
    useful: np.ndarray,
    lost: np.ndarray,
    spare: np.ndarray,
    each: np.ndarray,
    trip: np.ndarray,
) -> np.ndarray:
    """Return packs of each pair by taking, again and again, the pair and quantity with the greatest gain."""
    senders, receivers = pairs
    width = min(useful.shape[1], lost.shape[1])
    pad = np.full((len(spare), width), np.inf)
    useful, lost = np.hstack([useful, np.zeros_like(pad)]), np.hstack([lost, pad])
    given, received, packs = np.zeros(len(spare), dtype="int64"), np.zeros(len(spare), dtype="int64"), np.zeros(len(senders))
    steps = np.arange(width)
    while True:
        saved = useful[receivers[:, None], np.minimum(received[receivers, None] + steps, useful.shape[1] - 1)]
        missed = lost[senders[:, None], np.minimum(given[senders, None] + steps, lost.shape[1] - 1)]
        missed = np.where(steps < (spare - given)[senders][:, None], missed, np.inf)
        gains = np.cumsum(saved - missed - each[:, None], axis=1) - np.where(packs > 0, 0.0, trip)[:, None]
        pair, step = np.unravel_index(int(gains.argmax()), gains.shape)
        if gains[pair, step] <= 1e-9:
            return packs
        packs[pair] += step + 1
        given[senders[pair]] += step + 1
        received[receivers[pair]] += step + 1


def _optimise(
    pairs: tuple[np.ndarray, np.ndarray],
    *,
    useful: np.ndarray,
    lost: np.ndarray,
    spare: np.ndarray,
    each: np.ndarray,
    trip: np.ndarray,
) -> np.ndarray | None:
    """Return the packs of each pair with the greatest gain; nothing where it is not proven in time.

    Variables: packs of each pair, whether the pair is used, packs received and packs given step by step. The curves are convex,
    so steps are taken in their order without being told to.
    """
    senders, receivers = pairs
    takes = np.isin(np.arange(len(spare)), receivers)
    in_site, in_step = np.nonzero((useful > 1e-12) & takes[:, None])
    out_site, out_step = np.nonzero(
        (np.arange(lost.shape[1]) < spare[:, None]) & np.isin(np.arange(len(spare)), senders)[:, None]
    )
    limit = np.minimum(spare[senders], np.bincount(in_site, minlength=len(spare))[receivers]).astype("float64")
    count, steps = len(senders), len(in_site) + len(out_site)
    result = scipy.optimize.milp(
        np.concatenate([each, trip, -useful[in_site, in_step], lost[out_site, out_step]]),
        constraints=_constraints(pairs, limit, in_site, out_site, sites=len(spare)),
        integrality=np.repeat([1, 0], [2 * count, steps]),
        bounds=scipy.optimize.Bounds(0.0, np.concatenate([limit, np.ones(count + steps)])),
        options={"mip_rel_gap": 0.0, "node_limit": _NODES},
    )
    return np.round(result.x[:count]) if result.status == 0 else None


def _constraints(
    pairs: tuple[np.ndarray, np.ndarray], limit: np.ndarray, in_site: np.ndarray, out_site: np.ndarray, *, sites: int
) -> list[scipy.optimize.LinearConstraint]:
    """Return: a pair that moves packs is used; packs into and out of each site are those of its steps."""
    sparse, count = scipy.sparse, len(limit)

    def by_site(site: np.ndarray) -> scipy.sparse.coo_array:
        return sparse.coo_array((np.ones(len(site)), (site, np.arange(len(site)))), shape=(sites, len(site)))

    no_pair, no_in, no_out = (sparse.coo_array((sites, width)) for width in (count, len(in_site), len(out_site)))
    used = sparse.hstack(
        [sparse.eye_array(count), -sparse.diags_array(limit), sparse.coo_array((count, len(in_site) + len(out_site)))]
    )
    received = sparse.hstack([by_site(pairs[1]), no_pair, -by_site(in_site), no_out])
    given = sparse.hstack([by_site(pairs[0]), no_pair, no_in, -by_site(out_site)])
    bound = scipy.optimize.LinearConstraint
    return [bound(used.tocsr(), -np.inf, 0.0), bound(received.tocsr(), 0.0, 0.0), bound(given.tocsr(), 0.0, 0.0)]


def _count(
    sites: pd.DataFrame,
    pairs: tuple[np.ndarray, np.ndarray],
    *,
    quantity: np.ndarray,
    curves: np.ndarray,
    stock: np.ndarray,
    price: np.ndarray,
    each: np.ndarray,
    trip: np.ndarray,
) -> pd.DataFrame:
    """Return the transfers with what each adds to those before it, the largest first; one that gains nothing is left out."""
    names = sites["customer_id"].to_numpy()
    now = stock.copy()
    rows = []
    for place in np.argsort(-quantity, kind="stable"):
        sender, receiver, moved = pairs[0][place], pairs[1][place], float(quantity[place])
        if moved <= 0:
            continue
        here, there = curves[sender], curves[receiver]
        avoided = float(_at(there, now[receiver]) - _at(there, now[receiver] + moved))
        caused = float(_at(here, now[sender] - moved) - _at(here, now[sender]))
        benefit = float(price[receiver] * avoided - price[sender] * caused)
        cost = float(each[sender, receiver] * moved + trip[sender, receiver])
        if benefit - cost > 1e-9:
            now[sender], now[receiver] = now[sender] - moved, now[receiver] + moved
            rows.append((names[sender], names[receiver], moved, avoided, caused, benefit, cost, benefit - cost))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _check_sites(sites: pd.DataFrame, curves: np.ndarray, *, pack: float) -> tuple[np.ndarray, np.ndarray]:
    """Return each site's stock, and the packs that it can spare."""
    columns = ["stock", "own_level", "next_delivery_days"]
    values = sites[columns].to_numpy(dtype="float64")
    unknown = ~np.isfinite(values[:, :2]).all(axis=1) | np.isnan(values[:, 2])
    if unknown.any():
        found = f"a missing one at {sites['customer_id'].to_numpy()[unknown][0]}"
        raise InputError(
            expected=f"{', '.join(columns)} of each site", found=found, fix="Leave the site out, or count its stock."
        )
    check_not_negative(own_level=values[:, 1])
    if sites["customer_id"].duplicated().any():
        raise InputError(expected="each site once", found="one twice", fix="Give one product at a time.")
    slopes = np.diff(curves, axis=-1)
    shaped = curves.ndim == 2 and len(curves) == len(sites) and curves.shape[1] >= 2 and bool(np.isfinite(curves).all())
    if not shaped or (curves < -1e-9).any() or (slopes > 1e-9).any() or (np.diff(slopes, axis=1) < -1e-7).any():
        raise InputError(
            expected="expected shortage by stock 0, 1, 2, … of each site, falling by less and less",
            found=f"an array of shape {curves.shape}",
            fix="Give E(X − y)⁺ of the demand until the site's next delivery.",
        )
    spare = np.floor(np.maximum(values[:, 0] - values[:, 1], 0.0) / pack + 1e-9).astype("int64")
    return values[:, 0], spare
