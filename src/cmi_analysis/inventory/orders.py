"""Orders that can be placed: from what is needed to what the agreement lets through, with the rule that bound."""

from __future__ import annotations

import numpy as np
import pandas as pd

BOUNDS = ("need", "minimum", "multiple", "maximum", "shelf_life", "budget", "storage", "no_benefit")
"""Rules that may set an order's quantity, in their order of use; the last three come from `order_limits.limit_jointly`."""
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def propose_quantity(
    need: np.ndarray,
    *,
    position: np.ndarray,
    minimum: np.ndarray,
    multiple: np.ndarray,
    maximum: np.ndarray,
    shelf_life: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the quantity that can be ordered for each need, and the rule that set it.

    In this order: the need; at least the minimum; up to the next whole multiple; down to the largest whole multiple that keeps
    the position at or below the maximum stock, then to the largest that is used within its shelf life (nothing where that is less
    than the minimum or than one multiple: the agreement lets no order through, and the rule says why).

    Parameters
    ----------
    need : numpy.ndarray
        Quantity wanted [units]; zero or below: no order.
    position : numpy.ndarray
        On hand + on order − backordered at the order day [units].
    minimum, multiple, maximum : numpy.ndarray
        Of the agreement [units]; missing: none.
    shelf_life : numpy.ndarray, optional
        Largest order that is used within its shelf life, as from `order_limits.limit_by_shelf_life` [units]; missing: none.

    Returns
    -------
    tuple of numpy.ndarray
        Quantity [units], and ``need``, ``minimum``, ``multiple``, ``maximum``, ``shelf_life`` or an empty string without a need.

    Examples
    --------
    A minimum of 50 in packs of 12 makes 60.

    >>> one = [np.array([value]) for value in (5.0, 0.0, 50.0, 12.0, np.nan)]
    >>> quantity, bound = propose_quantity(one[0], position=one[1], minimum=one[2], multiple=one[3], maximum=one[4])
    >>> float(quantity[0]), str(bound[0])
    (60.0, 'minimum')
    """
    wanted = np.ceil(np.maximum(np.nan_to_num(need), 0.0) - 1e-9)
    least = np.nan_to_num(minimum)
    pack = np.where(np.nan_to_num(multiple) > 0, np.nan_to_num(multiple), 1.0)
    raised = np.where(wanted > 0, np.maximum(wanted, least), 0.0)
    rounded = np.ceil(raised / pack - 1e-9) * pack
    room = np.where(np.isnan(maximum), np.inf, np.maximum(maximum - position, 0.0))
    capped = _down_to(room, rounded, pack=pack, least=least)
    fresh = np.full(np.shape(capped), np.nan) if shelf_life is None else np.asarray(shelf_life, dtype="float64")
    kept = _down_to(np.where(np.isnan(fresh), np.inf, np.maximum(fresh, 0.0)), capped, pack=pack, least=least)
    bound = np.select(
        [wanted <= 0, kept < capped, capped < rounded, raised > wanted, rounded > raised],
        ["", "shelf_life", "maximum", "minimum", "multiple"],
        "need",
    )
    return kept, bound


def _down_to(room: np.ndarray, quantity: np.ndarray, *, pack: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return the quantity lowered to whole packs within the room, 0 where that is less than the least order."""
    lowered = np.where(quantity > room, np.floor(np.where(np.isinf(room), 0.0, room) / pack + 1e-9) * pack, quantity)
    return np.where((lowered < quantity) & (lowered < least), 0.0, lowered)


def next_order_day(as_of: pd.Timestamp, weekdays: pd.Series) -> pd.Series:
    """Return the first day from the day after `as_of` on which each item may be ordered.

    Parameters
    ----------
    as_of : pandas.Timestamp
        Today.
    weekdays : pandas.Series of str
        English weekdays (``Mon,Thu``) or numbers 1 (Monday) to 7; missing or empty: any day.

    Examples
    --------
    2024-01-05 is a Friday.

    >>> next_order_day(pd.Timestamp("2024-01-05"), pd.Series(["Mon,Thu", None])).dt.day.tolist()
    [8, 6]
    """
    tomorrow = as_of.normalize() + pd.Timedelta(days=1)
    known = {
        text: tomorrow + pd.Timedelta(days=_wait(text, first=tomorrow.weekday())) for text in set(weekdays.dropna().astype(str))
    }
    days = [known.get(str(text), tomorrow) if pd.notna(text) else tomorrow for text in weekdays]
    return pd.Series(pd.DatetimeIndex(days).astype("datetime64[ns]"), index=weekdays.index)


def _wait(text: str, *, first: int) -> int:
    """Return days from weekday `first` to the next allowed weekday; 0 where the text names none."""
    names = [
        part.strip().lower()[:3] for part in text.replace(";", ",").replace(" ", ",").replace("/", ",").split(",") if part.strip()
    ]
    numbers = [
        _WEEKDAYS.index(name) if name in _WEEKDAYS else int(float(name)) - 1
        for name in names
        if name in _WEEKDAYS or name[0].isdigit()
    ]
    return min(((day - first) % 7 for day in numbers if 0 <= day <= 6), default=0)
