"""The numbers that several sentences of the forecasting report share, each looked up once and written one way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from cmi_analysis.labels import Language, format_value, text
from cmi_analysis.measures.calendar import periods_per_year


@dataclass(frozen=True)
class Words:
    """A result and the language its numbers are written in."""

    result: Any
    lang: Language

    def rate(self, value: float | None) -> str:
        """Write a share."""
        return format_value(value, "rate", self.lang)

    def signed(self, value: float | None) -> str:
        """Write a share with its sign."""
        return format_value(value, "signed_rate", self.lang)

    def points(self, value: float | None) -> str:
        """Write a difference of shares."""
        return format_value(value, "points", self.lang)

    def quantity(self, value: float | None) -> str:
        """Write a quantity."""
        return format_value(value, "quantity", self.lang)

    def count(self, value: int) -> str:
        """Write a count."""
        return format_value(value, "count", self.lang)

    def periods(self, n: int) -> str:
        """Write a number of periods."""
        key = "period_one" if n == 1 else "periods"
        return text(f"forecasting.{key}.{self.result.frequency}", self.lang, n=self.count(n))

    @cached_property
    def stock_known(self) -> bool:
        """Whether the panel knows of any period whether there was stock."""
        return bool(self.result.panel["in_stock"].notna().any())

    @cached_property
    def single_year(self) -> bool:
        """Whether the data hold less than two years, so that a season cannot be told from growth."""
        return int(self.result.panel["period"].nunique()) < 2 * periods_per_year(self.result.frequency)

    @property
    def lag(self) -> str:
        """The decision lag in words."""
        return self.periods(self.result.decision_lag)

    @property
    def horizon(self) -> str:
        """The horizon in words."""
        return self.periods(self.result.horizon)

    @property
    def each(self) -> str:
        """By week or by month."""
        return text(f"forecasting.each.{self.result.frequency}", self.lang)

    def step(self, measure: str, step: str, *, scope: str = "all") -> pd.Series | None:
        """The row of the value-added stairs, None where there is none."""
        table = self.result.accuracy
        rows = table[(table["scope"] == scope) & (table["measure"] == measure) & (table["step"] == step)]
        return None if rows.empty else rows.iloc[0]

    @property
    def bias(self) -> float:
        """Bias against demand with stock-outs filled in, over all leads."""
        views = self.result.bias_views.set_index("view")["bias"]
        return float(views.get("imputed", float("nan")))

    def view(self, name: str) -> str:
        """Bias by one of the three views of demand."""
        return self.signed(self.result.bias_views.set_index("view")["bias"].get(name))

    def coverage_row(self, measure: str) -> pd.Series | None:
        """Coverage over all patterns, None where nothing was scored."""
        table = self.result.coverage
        rows = table[(table["measure"] == measure) & (table["pattern"] == "") & (table["n"] > 0)]
        return None if rows.empty else rows.iloc[0]

    @cached_property
    def ahead(self) -> pd.DataFrame:
        """The periods to come of the group's total."""
        return self.result.totals[self.result.totals["mean"].notna()]

    @property
    def total(self) -> float:
        """Demand expected over the horizon."""
        return float(self.ahead["mean"].sum())

    @property
    def change(self) -> float | None:
        """Change of the horizon's demand on the same periods a year before, None where these are not all known."""
        before = self.ahead["last_year"]
        if before.isna().any() or before.sum() <= 0:
            return None
        return self.total / float(before.sum()) - 1

    @property
    def moved(self) -> float | None:
        """Change of the same periods' forecast since the run before [ratio], None where there is none to compare with."""
        periods = self.result.move_periods
        if periods.empty or periods["expected_then"].sum() <= 0:
            return None
        return float(periods["expected_now"].sum() / periods["expected_then"].sum() - 1)

    @property
    def last_bounds(self) -> tuple[float, float]:
        """The interval of the last period ahead."""
        last = self.ahead.iloc[-1]
        return float(last["low"]), float(last["high"])

    @cached_property
    def doubtful(self) -> pd.DataFrame:
        """Items whose forecast should not be trusted, the largest first."""
        rows = self.result.items[self.result.items["doubt"] != ""]
        return rows.sort_values(["next", "customer_id", "product_id"], ascending=[False, True, True], kind="stable")

    def biased_customer(self, limit: float) -> pd.Series | None:
        """The customer whose own forecast is off by the most units, at least by the share `limit`; None where none is."""
        rows = self.result.customers
        rows = rows[(rows["bias_customer"].abs() >= limit) & (rows["n"] >= 20)]
        if rows.empty:
            return None
        units = (rows["bias_customer"] * rows["demand"]).abs()
        return rows.assign(units=units).sort_values(["units", "customer_id"], ascending=[False, True], kind="stable").iloc[0]

    def side(self, customer: pd.Series) -> str:
        """Whether a customer's own forecast is too ``high`` or too ``low``."""
        return "high" if customer["bias_customer"] > 0 else "low"

    def bias_fields(self, customer: pd.Series) -> dict[str, str]:
        """Name, bias without its sign and lag of a customer's own forecast, for the sentences on either side."""
        bias = self.rate(abs(customer["bias_customer"]))
        return {"customer": str(customer["customer_name"]), "bias": bias, "lag": self.lag}

    def wape_by_origin(self) -> tuple[tuple[str, float | None], ...]:
        """WAPE at the decision lag by date of the forecast, oldest first."""
        rows = self.result.errors[self.result.errors["lead"] == self.result.decision_lag]
        points = []
        for origin, part in rows.groupby("origin", sort=True):
            wanted = part["actual"].sum()
            error = (part["actual"] - part["mean"]).abs().sum()
            points.append((origin.strftime("%Y-%m"), float(error / wanted) if wanted > 0 else None))
        return tuple(points[-13:])

    def coverage_words(self) -> str:
        """How many items and periods the data hold."""
        return text(
            "forecasting.data.title",
            self.lang,
            items=self.count(len(self.result.items)),
            periods=self.periods(self.result.panel["period"].nunique()),
            last=self.result.last_period,
        )

    def category(self, name: str) -> str:
        """Name of a category; the empty one is all products."""
        return name or text("forecasting.all_categories", self.lang)

    def pairs(self, names: list[str], values: list[float], *, kind: str = "rate", limit: int = 6) -> str:
        """Write ``name value, name value, …`` for an alternative text."""
        parts = [f"{name} {format_value(value, kind, self.lang)}" for name, value in zip(names, values, strict=True)]
        return ("、" if self.lang == "zh" else ", ").join(parts[:limit])
