"""From segments to service: the rules of params/strategy.yml, checked that each case meets one and each rule some case."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cmi_analysis.errors import InputError, ParameterError
from cmi_analysis.params.yaml_files import read_yaml

ANY = "*"
CONDITIONS: dict[str, tuple[str, ...]] = {
    "segment": (
        *("champions", "loyal", "potential_loyalists", "new_customers", "promising", "need_attention", "about_to_sleep"),
        *("cannot_lose", "at_risk", "hibernating", "lost"),
        *("important_value", "important_development", "important_retention", "important_winback"),
        *("general_value", "general_development", "general_retention", "general_winback"),
        "no_orders",
    ),
    "value_class": ("A", "B", "C"),
    "abc": ("A", "B", "C"),
    "xyz": ("X", "Y", "Z"),
    "pattern": ("smooth", "erratic", "intermittent", "lumpy", "too_few"),
    "life_stage": ("launch", "growth", "mature", "decline", "ending", "not_judged"),
    "service_need": ("contract", "standard"),
}
"""Columns that a rule may look at, and their values."""
_TIERS = {"high": "A", "mid": "B", "low": "C"}
STRATEGY_COLUMNS = (
    *("rule", "by_default", "shortage_priority", "service_measure", "service_target", "service_window", "review_period_days"),
    *("forecast_method", "safety_stock_rule", "fixed_days", "contact_days"),
)


def _as_values(value: Any) -> Any:
    values = [value] if isinstance(value, str) else value
    return tuple(_TIERS.get(item, item) for item in values) if isinstance(values, list | tuple) else values


Values = Annotated[tuple[str, ...], BeforeValidator(_as_values), Field(min_length=1)]


class StrategyRule(BaseModel):
    """One rule: for which items, and what they get."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="name of the rule, told with each item that it decides")
    segment: Values = Field(default=(ANY,), description="segments of the customer")
    value_class: Values = Field(default=(ANY,), description="value classes of the customer")
    abc: Values = Field(default=(ANY,), description="classes of the item by value")
    xyz: Values = Field(default=(ANY,), description="classes of the item by forecast error")
    pattern: Values = Field(default=(ANY,), description="demand patterns")
    life_stage: Values = Field(default=(ANY,), description="stages of the product's life")
    service_need: Values = Field(default=(ANY,), description="contract or standard")
    shortage_priority: int = Field(ge=1, le=9, description="who is served first when supply is short [1 first]")
    service_measure: Literal["shelf_fill", "cycle_service", "cost"] = Field(description="what the target is a share of")
    service_target: float | None = Field(
        default=None, gt=0, lt=1, description="service aimed at, else the parameter's [fraction]"
    )
    window: Literal["long_run", "month", "quarter"] = Field(default="long_run", description="over which the service is judged")
    review_period_days: int | None = Field(
        default=None, ge=1, le=366, description="days between two chances to order, else the parameter's [days]"
    )
    forecast_method: Literal["standard", "intermittent", "kin", "zero"] = Field(
        default="standard", description="hint to the forecast"
    )
    safety_stock: Literal["distribution", "normal", "fixed_days", "none"] = Field(
        default="distribution", description="rule of safety stock"
    )
    fixed_days: float | None = Field(default=None, gt=0, description="days of demand held with safety_stock fixed_days [days]")
    contact_days: int = Field(ge=1, description="days between two contacts with the customer [days]")

    @model_validator(mode="after")
    def _known_values(self) -> StrategyRule:
        for condition, known in CONDITIONS.items():
            values = getattr(self, condition)
            unknown = [value for value in values if value not in (*known, ANY)]
            if unknown:
                raise ValueError(f"{condition}: '{unknown[0]}' is none of {', '.join(known)}, {ANY}")
            if ANY in values and len(values) > 1:
                raise ValueError(f"{condition}: {ANY} means any, so nothing else can stand beside it")
        if (self.safety_stock == "fixed_days") != (self.fixed_days is not None):
            raise ValueError("fixed_days: give it with safety_stock fixed_days, and only then")
        return self


class Strategy(BaseModel):
    """The rules in their order: the first whose conditions hold decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[StrategyRule, ...] = Field(min_length=1)


DEFAULT_STRATEGY = Strategy(
    rules=(
        StrategyRule(
            name="default",
            shortage_priority=3,
            service_measure="shelf_fill",
            contact_days=30,
        ),
    )
)
"""One rule for everything, for a project without params/strategy.yml."""


def read_strategy(path: Path | str) -> Strategy:
    """Return the rules of a strategy file.

    Parameters
    ----------
    path : Path or str
        ``params/strategy.yml``.

    Raises
    ------
    ParameterError
        Not YAML, a key twice, an unknown key or value, two rules of one name, a case that meets no rule, or a rule that no case
        reaches because earlier ones take them all; names file, line and rule.
    """
    path = Path(path)
    document, lines = read_yaml(path), _rule_lines(path)
    try:
        strategy = Strategy.model_validate(document)
    except ValidationError as error:
        raise _explain(error, document, lines, path) from None
    names = [rule.name for rule in strategy.rules]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise ParameterError(
                expected=f"a name of its own for each rule of {path.name}",
                found=f"'{name}' a second time in line {lines[place]}",
                fix="Rename one of them.",
            )
    problems = check_strategy(strategy)
    if len(problems):
        first = problems.iloc[0]
        where = f" in line {lines[names.index(first['rule'])]}" if first["rule"] else ""
        raise ParameterError(
            expected=f"rules in {path.name} of which each case meets one and each is met",
            found=f"{len(problems)} problems, the first: {first['what']}{where}",
            fix="End with a rule without conditions; put narrow rules before wide ones, and delete what is never reached.",
        )
    return strategy


def check_strategy(strategy: Strategy) -> pd.DataFrame:
    """Return what is wrong with the rules over the product of all values of all conditions, "not known" among them.

    Returns
    -------
    pandas.DataFrame
        kind (``gap``: cases that meet no rule; ``unreachable``: a rule whose cases all meet an earlier one), rule (empty for a
        gap), cases [count], what (a sentence); no row where all is well.

    Examples
    --------
    >>> len(check_strategy(DEFAULT_STRATEGY))
    0
    """
    used = [name for name in CONDITIONS if any(getattr(rule, name) != (ANY,) for rule in strategy.rules)]
    values = {name: (*CONDITIONS[name], "") for name in used}
    shape = tuple(len(values[name]) for name in used)
    left, rows = np.ones(shape, dtype=bool), []
    for rule in strategy.rules:
        meets = np.ones(shape, dtype=bool)
        for axis, name in enumerate(used):
            wanted = getattr(rule, name)
            fits = np.array([ANY in wanted or value in wanted for value in values[name]])
            meets &= fits.reshape([-1 if place == axis else 1 for place in range(len(used))])
        if not (meets & left).any():
            takers = ", ".join(f"'{other.name}'" for other in strategy.rules[: strategy.rules.index(rule)])
            what = f"no case reaches rule '{rule.name}', all of its cases meet one of {takers} first"
            rows.append({"kind": "unreachable", "rule": rule.name, "cases": int(meets.sum()), "what": what})
        left &= ~meets
    if left.any():
        place = [int(axis[0]) for axis in np.nonzero(left)]
        case = ", ".join(f"{name} {values[name][at] or 'not known'}" for name, at in zip(used, place, strict=True))
        what = f"{int(left.sum())} of {left.size} cases meet no rule, such as {case}"
        rows.insert(0, {"kind": "gap", "rule": "", "cases": int(left.sum()), "what": what})
    return pd.DataFrame(rows, columns=["kind", "rule", "cases", "what"])


def assign_strategy(items: pd.DataFrame, *, strategy: Strategy) -> pd.DataFrame:
    """Return what the strategy says of each item and which rule said so.

    The first rule whose conditions all hold decides. A value that is missing meets only a condition that asks for none; an item
    of which no column is there gets the rule without conditions and is labelled.

    Parameters
    ----------
    items : pandas.DataFrame
        Those of the columns in `CONDITIONS` that are known.
    strategy : Strategy
        As from `read_strategy`.

    Returns
    -------
    pandas.DataFrame
        Rows as `items`: rule, by_default (bool: nothing was known of the item that a rule looks at), shortage_priority,
        service_measure, service_target [fraction], service_window, review_period_days [days] (both missing where the rule leaves
        them to the parameters), forecast_method, safety_stock_rule, fixed_days [days, 0 where not used], contact_days [days].

    Raises
    ------
    InputError
        A value that no rule can know, or an item that meets no rule.

    Examples
    --------
    >>> assign_strategy(pd.DataFrame({"abc": ["A"]}), strategy=DEFAULT_STRATEGY)["rule"].tolist()
    ['default']
    """
    known = {name: _values(items[name], name) for name in CONDITIONS if name in items}
    blank = pd.Series("", index=items.index)
    chosen = np.full(len(items), -1)
    for place, rule in enumerate(strategy.rules):
        meets = np.ones(len(items), dtype=bool)
        for name in CONDITIONS:
            wanted = getattr(rule, name)
            meets &= ANY in wanted or known.get(name, blank).isin(wanted).to_numpy()
        chosen = np.where((chosen < 0) & meets, place, chosen)
    if (chosen < 0).any():
        raise InputError(
            expected="a rule of the strategy for each item",
            found=f"{int((chosen < 0).sum())} items that meet none",
            fix="End params/strategy.yml with a rule without conditions.",
        )
    looked_at = [name for name in known if any(getattr(rule, name) != (ANY,) for rule in strategy.rules)]
    bare = np.ones(len(items), dtype=bool)
    for name in looked_at:
        bare &= (known[name] == "").to_numpy()
    table = pd.DataFrame([_row(rule) for rule in strategy.rules]).iloc[chosen].set_index(items.index)
    numbers = {name: table[name].astype("float64") for name in ("service_target", "review_period_days")}
    return table.assign(by_default=bare, **numbers)[list(STRATEGY_COLUMNS)]


def _row(rule: StrategyRule) -> dict[str, Any]:
    values = rule.model_dump(exclude={"name", "window", "safety_stock", *CONDITIONS})
    own = {"rule": rule.name, "service_window": rule.window, "safety_stock_rule": rule.safety_stock}
    return values | own | {"fixed_days": rule.fixed_days or 0.0}


def _values(column: pd.Series, name: str) -> pd.Series:
    values = column.astype("object").where(column.notna(), "").astype(str)
    values = values.replace(_TIERS) if name == "value_class" else values
    unknown = sorted(set(values) - set(CONDITIONS[name]) - {""})
    if unknown:
        raise InputError(
            expected=f"values of {name}: {', '.join(CONDITIONS[name])}",
            found=f"'{unknown[0]}'",
            fix="Rename it, or leave it empty.",
        )
    return values


def _rule_lines(path: Path) -> list[int]:
    """Return the line of each rule of the file."""
    root = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    rules = next((node for key, node in pairs if key.value == "rules" and isinstance(node, yaml.SequenceNode)), None)
    return [item.start_mark.line + 1 for item in rules.value] if rules is not None else []


def _explain(error: ValidationError, document: dict[str, Any], lines: list[int], path: Path) -> ParameterError:
    first = error.errors()[0]
    where, line = [str(part) for part in first["loc"]], ""
    if len(where) > 1 and where[0] == "rules" and where[1].isdigit():
        place = int(where[1])
        rule = document["rules"][place]
        name = rule.get("name", f"number {place + 1}") if isinstance(rule, dict) else f"number {place + 1}"
        line, where = f", line {lines[place]}, rule '{name}'", where[2:]
    what = first["msg"].removeprefix("Value error, ")
    wrong = f"{'.'.join(where)}: {what}" if where else what
    known = "rules" if not line else ", ".join(StrategyRule.model_fields)
    fix = (
        f"Known names: {known}."
        if first["type"] == "extra_forbidden"
        else "Correct it; the head of the file says what is allowed."
    )
    return ParameterError(expected=f"a valid rule in {path.name}{line}", found=wrong, fix=fix)
