"""Ordering rules of the usual policies in one form that a simulator can carry out, items × policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cmi_analysis.errors import InputError

POLICIES = ("base_stock", "r_nQ", "s_S", "R_S", "R_s_S", "none")
"""Policies that `set_rules` knows."""
_ABOVE = 1e-7


@dataclass(frozen=True)
class PolicyRules:
    """Rules of items × policies: at a review, where the position is at or below the trigger, order up to the target.

    The position is on hand + on order − backordered. The order is the smallest whole number of multiples that brings it to the
    target or above.

    Attributes
    ----------
    trigger, target, multiple : numpy.ndarray
        Items × policies [units]; a trigger of −∞ never orders.
    review_period, review_phase : numpy.ndarray
        Items × policies, or items × policies × replications: reviewed at the end of the periods t with
        (t − phase) mod R = 0 [periods].
    """

    trigger: np.ndarray
    target: np.ndarray
    multiple: np.ndarray
    review_period: np.ndarray
    review_phase: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of items and policies."""
        return self.trigger.shape[0], self.trigger.shape[1]


def set_rules(
    policy: str,
    *,
    reorder_point: ArrayLike | None = None,
    order_up_to_level: ArrayLike | None = None,
    order_quantity: ArrayLike | None = None,
    order_multiple: ArrayLike = 1.0,
    review_period: ArrayLike = 1,
    review_phase: ArrayLike = 0,
) -> PolicyRules:
    """Return the rules of one kind of policy for items × policies.

    ``base_stock``: each period up to S. ``R_S``: every R periods up to S. ``s_S``: each period, at s or below up to S.
    ``R_s_S``: the same every R periods. ``r_nQ``: at r or below the fewest batches Q that bring the position above r; with R > 1
    every R periods. ``none``: never orders. What is ordered up to a level is rounded up to whole multiples (Silver, Pyke and
    Thomas 2017, section 6.4).

    Parameters
    ----------
    policy : {"base_stock", "r_nQ", "s_S", "R_S", "R_s_S", "none"}
        Kind of policy.
    reorder_point, order_up_to_level, order_quantity, order_multiple : array_like, optional
        r or s, S, Q and the pack; items, or items × policies [units].
    review_period, review_phase : array_like
        R, and the first period that is reviewed [periods].

    Raises
    ------
    InputError
        The policy is not known, a level is missing or not a number, S is below s, a batch, multiple or R is not above zero.

    Examples
    --------
    A reorder point of 3 with batches of 12, reviewed every 7 periods.

    >>> rules = set_rules("r_nQ", reorder_point=[3], order_quantity=12, review_period=7)
    >>> rules.shape, float(rules.trigger[0, 0]), float(rules.multiple[0, 0]), int(rules.review_period[0, 0])
    ((1, 1), 3.0, 12.0, 7)
    """
    needed: dict[str, dict[str, ArrayLike | None]] = {
        "base_stock": {"order_up_to_level": order_up_to_level},
        "R_S": {"order_up_to_level": order_up_to_level},
        "s_S": {"reorder_point": reorder_point, "order_up_to_level": order_up_to_level},
        "R_s_S": {"reorder_point": reorder_point, "order_up_to_level": order_up_to_level},
        "r_nQ": {"reorder_point": reorder_point, "order_quantity": order_quantity},
        "none": {"a level of any value": 0.0 if order_up_to_level is None else order_up_to_level},
    }
    if policy not in needed:
        raise InputError(expected=f"one of the policies {', '.join(POLICIES)}", found=repr(policy), fix="Name one of them.")
    absent = [name for name, value in needed[policy].items() if value is None]
    if absent:
        raise InputError(expected=f"{' and '.join(needed[policy])} for {policy}", found=f"no {absent[0]}", fix="Give it.")
    first, *rest = (np.asarray(value, dtype="float64") for value in needed[policy].values())
    trigger, target, multiple = first, rest[0] if rest else first, np.asarray(order_multiple, dtype="float64")
    if policy == "r_nQ":
        multiple = target
        target = trigger + _ABOVE * multiple
    if policy == "none":
        trigger = np.full(first.shape, -np.inf)
    return make_rules(trigger, target=target, multiple=multiple, review_period=review_period, review_phase=review_phase)


def make_rules(
    trigger: ArrayLike,
    *,
    target: ArrayLike,
    multiple: ArrayLike = 1.0,
    review_period: ArrayLike = 1,
    review_phase: ArrayLike = 0,
) -> PolicyRules:
    """Return checked rules of any trigger and target, all of them brought to items × policies.

    Parameters
    ----------
    trigger, target, multiple, review_period, review_phase : array_like
        As the attributes of `PolicyRules`; one number, items, or items × policies.

    Raises
    ------
    InputError
        A level is not a number, a target is below its trigger, a multiple or review period is not above zero.
    """
    given = [_two_axes(value) for value in (trigger, target, multiple, review_period, review_phase)]
    shape = np.broadcast_shapes(*(value.shape[:2] for value in given))
    below, level, size = (np.broadcast_to(value, shape).astype("float64") for value in given[:3])
    period, phase = (np.broadcast_to(value, (*shape, *value.shape[2:])) for value in given[3:])
    _check(below, level, size, period)
    return PolicyRules(below, level, size, np.round(period).astype("int64"), np.round(phase).astype("int64"))


def stack_rules(*rules: PolicyRules) -> PolicyRules:
    """Return the policies of several rules for the same items side by side.

    Examples
    --------
    >>> weekly = set_rules("R_S", order_up_to_level=9, review_period=7)
    >>> stack_rules(set_rules("base_stock", order_up_to_level=[5, 6]), weekly).shape
    (2, 2)
    """
    items = max(rule.shape[0] for rule in rules)

    def joined(name: str) -> np.ndarray:
        parts = [getattr(rule, name) for rule in rules]
        return np.concatenate([np.broadcast_to(part, (items, *part.shape[1:])) for part in parts], axis=1)

    return PolicyRules(*(joined(name) for name in ("trigger", "target", "multiple", "review_period", "review_phase")))


def _two_axes(value: ArrayLike) -> np.ndarray:
    array = np.asarray(value)
    return array.reshape(array.shape + (1,) * (2 - array.ndim)) if array.ndim < 2 else array


def _check(trigger: np.ndarray, target: np.ndarray, multiple: np.ndarray, period: np.ndarray) -> None:
    never = np.isneginf(trigger)
    if not np.all((np.isfinite(trigger) | never) & np.isfinite(target)):
        raise InputError(
            expected="levels that are numbers", found="a missing or infinite level", fix="Label items without a level 'none'."
        )
    if not np.all(never | (target >= trigger)):
        raise InputError(
            expected="order-up-to levels at or above the reorder points",
            found=f"a level {float((target - trigger)[~never].min()):g} units off its reorder point",
            fix="Exchange or correct the two levels.",
        )
    if not np.all(multiple > 0) or not np.all(np.isfinite(multiple)):
        raise InputError(
            expected="batches and multiples above zero", found=f"{multiple.min():g}", fix="Take 1 where there is no pack."
        )
    if not np.all(np.isfinite(period)) or not np.all(np.round(period) >= 1):
        raise InputError(
            expected="review periods of at least one period", found=f"{period.min():g}", fix="Take 1 for every period."
        )
