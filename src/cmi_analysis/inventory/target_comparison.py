"""Fixed ABC-XYZ targets, one target for all, and optimised ones side by side: money, service, and who is below the aim."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.inventory.target_optimiser import ServiceCurves, check_aim, first_at, optimise_targets, score_service

FIXED_TARGETS: Mapping[str, float] = {
    **{"AX": 0.98, "AY": 0.97, "AZ": 0.95},
    **{"BX": 0.96, "BY": 0.95, "BZ": 0.93},
    **{"CX": 0.93, "CY": 0.92, "CZ": 0.90},
}
"""Shelf fill by ABC-XYZ class as it is often set by hand: higher for value, lower for what is hard to forecast.

A convention to compare with, not a published table."""


def compare_targets(
    curves: ServiceCurves,
    *,
    classes: np.ndarray,
    aim: float,
    floor: np.ndarray | None = None,
    customers: np.ndarray | None = None,
    fixed: Mapping[str, float] = FIXED_TARGETS,
) -> pd.DataFrame:
    """Return the money and the service of fixed ABC-XYZ targets, of one target for all, and of optimised ones.

    Parameters
    ----------
    curves : ServiceCurves
        As from `fit_service_curves`.
    classes : numpy.ndarray of str
        ABC-XYZ class of each item, such as ``AX``.
    aim : float
        The one target for all, with which every item and customer is compared [fraction].
    floor : numpy.ndarray, optional
        Contracted service of each item, kept by every way [fraction].
    customers : numpy.ndarray, optional
        Customer of each item.
    fixed : mapping of str to float
        Target of each class.

    Returns
    -------
    pandas.DataFrame
        way (``fixed``, ``one_target``, ``optimised_same_money``: as much as `fixed`, ``optimised_same_service``: as `fixed`),
        money, service, items_under, weight_under, customers_under [fractions], saving (money of `fixed` less the way's), status
        (``fixed``: no better choice than the fixed targets was found).

    Raises
    ------
    InputError
        A class has no fixed target, or the aim is not between 0 and 1.
    """
    unknown = sorted(set(np.asarray(classes).tolist()) - set(fixed))
    if unknown:
        raise InputError(expected=f"classes {', '.join(fixed)}", found=", ".join(map(str, unknown)), fix="Give each a target.")
    check_aim(None, aim)
    floors = np.zeros(len(curves.weight)) if floor is None else np.nan_to_num(np.asarray(floor, dtype="float64"))
    rows = np.arange(len(floors))
    by_class = np.maximum(np.array([fixed[name] for name in np.asarray(classes).tolist()]), floors)
    found = {}
    for way, target in (("fixed", by_class), ("one_target", np.maximum(aim, floors))):
        place = first_at(curves.service, target)
        found[way] = (curves.service[rows, place], curves.money[rows, place], "by_hand")
    money, service = float(found["fixed"][1].sum()), found["fixed"][0]
    mean = score_service(service, money=found["fixed"][1], weight=curves.weight)["service"]
    for way, plan in (
        ("optimised_same_money", optimise_targets(curves, budget=money, floor=floors)),
        ("optimised_same_service", optimise_targets(curves, service=min(mean, 1 - 1e-12), floor=floors)),
    ):
        target, cost = (plan.items[name].to_numpy(dtype="float64") for name in ("target", "money"))
        served = float((target * curves.weight).sum())
        by_class_served = float((service * curves.weight).sum())
        # whole levels: with few items the hulls' choice may miss the fixed one, which is a choice too
        worse = served < by_class_served - 1e-12 if way == "optimised_same_money" else cost.sum() > money + 1e-9
        found[way] = (service, found["fixed"][1], "fixed") if worse else (target, cost, plan.status)
    table = [
        {"way": way, **score_service(level, money=cost, weight=curves.weight, aim=aim, customers=customers), "status": status}
        for way, (level, cost, status) in found.items()
    ]
    return pd.DataFrame(table).assign(saving=lambda frame: money - frame["money"])
