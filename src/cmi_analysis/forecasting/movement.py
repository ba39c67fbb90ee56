"""Why a forecast moved since the run before: what was said then of the same periods, what is said now, and what changed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cmi_analysis.forecasting.grid import SERIES

CAUSES = (
    "new",
    "gone",
    "ended",
    "returned",
    "level_up",
    "level_down",
    "sold_above",
    "sold_below",
    "model",
    "same_model",
    "unmoved",
)
"""What may have moved a forecast."""
# news by at least this share of what was said comes before a change of model, which may be its consequence
LARGE_NEWS = 0.25
# news by less is none
LEAST_NEWS = 0.05
MOVE_COLUMNS = [*SERIES, "expected_then", "expected_now", "moved", "sold_since", "said_since", "model_then", "model", "cause"]
_NO_DEMAND = ("zero", "none")


def explain_moves(
    forecasts: pd.DataFrame, earlier: pd.DataFrame, *, panel: pd.DataFrame, monitoring: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return for each series how its forecast of the same periods moved since an earlier run, and the one cause that fits first.

    The periods compared are those that both runs forecast. Between the runs lie the periods that the earlier run forecast and
    that are over now: what was said of them against what was sold is the news that a model reacts to.

    Parameters
    ----------
    forecasts, earlier : pandas.DataFrame
        ``customer_id, product_id, period, mean`` [sales units], ``model``: of this run and of the earlier one.
    panel : pandas.DataFrame
        ``customer_id, product_id, period, demand`` [sales units].
    monitoring : pandas.DataFrame
        ``customer_id, product_id, reason``: ``level_up`` and ``level_down`` where the level of demand changed of late.

    Returns
    -------
    moves : pandas.DataFrame
        ``customer_id, product_id, expected_then, expected_now, moved`` (now − then), ``sold_since, said_since`` [sales units],
        ``model_then, model, cause``; largest move first; empty where the runs have no period in common. Causes, the first that
        fits: ``new`` (no forecast then), ``gone`` (none now), ``ended`` (zero by rule now), ``returned`` (zero then),
        ``level_up`` and ``level_down`` (a changed level, in the direction of the move), ``sold_above`` and ``sold_below`` (more
        or less was sold since than said, in the direction of the move, by at least a quarter), ``model`` (another model),
        ``sold_above`` and ``sold_below`` once more (by at least a twentieth), ``same_model`` (none of these: what else the model
        looks at), ``unmoved`` (by less than .01 units).
    periods : pandas.DataFrame
        ``period, expected_then, expected_now`` [sales units], one row per period in common: sums over all series.

    Notes
    -----
    A classification, not a causal attribution: each series' whole move goes to one cause, so the causes' moves add up exactly to
    the move of the total.
    """
    common = np.intersect1d(forecasts["period"].unique(), earlier["period"].unique())
    if not len(common):
        return pd.DataFrame(columns=MOVE_COLUMNS), pd.DataFrame(columns=["period", "expected_then", "expected_now"])
    now, then = (frame[frame["period"].isin(common)] for frame in (forecasts, earlier))
    moves = _sides(then, "expected_then", "model_then").merge(_sides(now, "expected_now", "model"), on=SERIES, how="outer")
    moves = moves.merge(_news(earlier, panel), on=SERIES, how="left").merge(
        monitoring[[*SERIES, "reason"]], on=SERIES, how="left"
    )
    moves["known_then"], moves["known_now"] = moves["model_then"].notna(), moves["model"].notna()
    numbers = ["expected_then", "expected_now"]
    moves[numbers] = moves[numbers].fillna(0.0)
    moves["moved"] = moves["expected_now"] - moves["expected_then"]
    moves["cause"] = _causes(moves)
    moves[["model_then", "model"]] = moves[["model_then", "model"]].fillna("none")
    by_size = moves.assign(size=moves["moved"].abs()).sort_values(["size", *SERIES], ascending=[False, True, True], kind="stable")
    sums = {name: frame.groupby("period", sort=True)["mean"].sum() for name, frame in zip(numbers, (then, now), strict=True)}
    return by_size[MOVE_COLUMNS].reset_index(drop=True), pd.DataFrame(sums).rename_axis("period").reset_index()


def _sides(frame: pd.DataFrame, value: str, model: str) -> pd.DataFrame:
    by = frame.groupby(SERIES, sort=True)
    return pd.DataFrame({value: by["mean"].sum(), model: by["model"].first()}).reset_index()


def _news(earlier: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """What was sold and what had been said of the periods that the earlier run forecast and that are over."""
    over = earlier.merge(panel[[*SERIES, "period", "demand"]], on=[*SERIES, "period"])
    over = over[over["demand"].notna()]
    sums = over.groupby(SERIES, sort=True)[["demand", "mean"]].sum().reset_index()
    return sums.rename(columns={"demand": "sold_since", "mean": "said_since"})


def _causes(moves: pd.DataFrame) -> np.ndarray:
    up, down = moves["moved"] > 0, moves["moved"] < 0
    news = moves["sold_since"] - moves["said_since"]
    large, some = (news.abs() >= share * moves["said_since"] for share in (LARGE_NEWS, LEAST_NEWS))
    zero_now, zero_then = moves["model"].isin(_NO_DEMAND), moves["model_then"].isin(_NO_DEMAND)
    fits = (
        ("new", ~moves["known_then"]),
        ("gone", ~moves["known_now"]),
        ("unmoved", moves["moved"].abs() < 0.01),
        ("ended", zero_now & ~zero_then),
        ("returned", zero_then & ~zero_now),
        ("level_up", (moves["reason"] == "level_up") & up),
        ("level_down", (moves["reason"] == "level_down") & down),
        ("sold_above", (news > 0) & up & large),
        ("sold_below", (news < 0) & down & large),
        ("model", moves["model"] != moves["model_then"]),
        ("sold_above", (news > 0) & up & some),
        ("sold_below", (news < 0) & down & some),
    )
    return np.select([mask.to_numpy() for _, mask in fits], [name for name, _ in fits], default="same_model")


def sum_moves(moves: pd.DataFrame) -> pd.DataFrame:
    """Return the move of the total by cause.

    Parameters
    ----------
    moves : pandas.DataFrame
        As `explain_moves` returns them.

    Returns
    -------
    pandas.DataFrame
        ``cause, items`` [count], ``expected_then, expected_now, moved`` [sales units], only causes that occur; they add up to the
        total. What moved most comes first, ``unmoved`` last.

    Examples
    --------
    >>> rows = pd.DataFrame({"cause": ["new", "model", "new"], "expected_then": [0.0, 9.0, 0.0], "expected_now": [4.0, 7.0, 1.0]})
    >>> sum_moves(rows.assign(moved=rows["expected_now"] - rows["expected_then"]))["moved"].tolist()
    [5.0, -2.0]
    """
    by = moves.groupby("cause", sort=True)
    table = by[["expected_then", "expected_now", "moved"]].sum().assign(items=by.size()).reset_index()
    table = table.assign(last=table["cause"] == "unmoved", size=-table["moved"].abs(), place=table["cause"].map(CAUSES.index))
    table = table.sort_values(["last", "size", "place"], kind="stable", ignore_index=True)
    return table[["cause", "items", "expected_then", "expected_now", "moved"]]
