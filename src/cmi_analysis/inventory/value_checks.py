"""Checks of costs, rates and quantities, with errors that name the value and say what to do."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError


def check_positive(**values: ArrayLike) -> None:
    """Raise where a value is missing, infinite or not above zero.

    Raises
    ------
    InputError
        Names the value.

    Examples
    --------
    >>> check_positive(holding_cost=[1.0, 0.0])
    Traceback (most recent call last):
    cmi_analysis.errors.InputError: Expected a holding_cost above zero; found 0.0. Give the true cost.
    """
    for name, value in values.items():
        array = np.asarray(value, dtype="float64")
        bad = ~((array > 0) & np.isfinite(array))
        if bad.any():
            raise InputError(expected=f"a {name} above zero", found=f"{array[bad][0]}", fix=_fix(name))


def check_not_negative(**values: ArrayLike) -> None:
    """Raise where a value is missing, infinite or below zero.

    Raises
    ------
    InputError
        Names the value.
    """
    for name, value in values.items():
        array = np.asarray(value, dtype="float64")
        bad = ~((array >= 0) & np.isfinite(array))
        if bad.any():
            fix = "Correct the sign, or leave the item out."
            raise InputError(expected=f"a {name} of zero or more", found=f"{array[bad][0]}", fix=fix)


def check_fraction(**values: ArrayLike) -> None:
    """Raise where a value is missing or not from 0 to 1.

    Raises
    ------
    InputError
        Names the value.
    """
    for name, value in values.items():
        array = np.asarray(value, dtype="float64")
        bad = ~((array >= 0) & (array <= 1))
        if bad.any():
            raise InputError(expected=f"a {name} from 0 to 1", found=f"{array[bad][0]}", fix="Give a fraction: 5 % is 0.05.")


def check_costs(
    count: int, *, positive: dict[str, ArrayLike], not_negative: dict[str, ArrayLike] | None = None
) -> list[np.ndarray]:
    """Return costs as one number an item, in the order given; those in `positive` must be above zero.

    Raises
    ------
    InputError
        A cost is missing, below zero, or zero where it must be above.

    Examples
    --------
    >>> [cost.tolist() for cost in check_costs(2, positive={"holding_cost": 1.0}, not_negative={"order_cost": [0, 5]})]
    [[1.0, 1.0], [0.0, 5.0]]
    """
    found = []
    for names, least in ((positive, "above zero"), (not_negative or {}, "of zero or more")):
        for name, value in names.items():
            cost = np.asarray(value, dtype="float64")
            good = np.isfinite(cost) & ((cost > 0) if least == "above zero" else (cost >= 0))
            if not np.all(good):
                raise InputError(
                    expected=f"{name} {least} for each item",
                    found=f"{np.atleast_1d(cost)[~np.atleast_1d(good)][0]}",
                    fix="Give the true cost, or leave the item out.",
                )
            found.append(np.broadcast_to(cost, (count,)).astype("float64"))
    return found


def check_rows(**rows: int) -> None:
    """Raise an `InputError` unless all have the same number of rows, one an item.

    Examples
    --------
    >>> check_rows(daily_pmf=2, lead_time_pmf=2)
    """
    if len(set(rows.values())) > 1:
        raise InputError(
            expected=f"one row an item in {' and '.join(rows)}",
            found=", ".join(f"{count} rows in {name}" for name, count in rows.items()),
            fix="Give all of them for the same items in the same order.",
        )


def _fix(name: str) -> str:
    return "Give the true cost." if name.endswith("cost") else "Give the true value, or leave the item out."
