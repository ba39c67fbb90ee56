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


def _fix(name: str) -> str:
    return "Give the true cost." if name.endswith("cost") else "Give the true value, or leave the item out."
