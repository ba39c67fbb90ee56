"""Catalogue and formats of the inventory plan's page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cmi_analysis.labels import format_value, text
from cmi_analysis.params.models import InventoryPolicyParams
from cmi_analysis.tables import Slice


@dataclass(frozen=True)
class PlanWords:
    """Catalogue and formats of one page; `result` is a PlanResult (the stage lies above this layer, so it is not named here)."""

    result: Any
    part: Slice
    params: InventoryPolicyParams

    def say(self, key: str, **values: Any) -> str:
        return text(f"inventory.{key}", self.params.lang, **values)

    def show(self, value: Any, kind: str) -> str:
        return format_value(value, kind, self.params.lang, currency=self.part.tables.settings.currency)

    def total(self, name: str) -> float | None:
        return self.result.totals.get(name)

    def stock(self, money: str, units: str, source: Mapping[str, Any]) -> str:
        """Return an amount of stock in money where it is known, else in units."""
        value = source.get(money)
        if value is not None and not pd.isna(value):
            return self.show(value, "money")
        return self.say("units", value=self.show(source.get(units), "quantity"))

    @property
    def assumed_days(self) -> str:
        """Return the assumed lead time where any item is planned with it, else an empty text [days]."""
        coverage = self.result.coverage
        counts = dict(zip(coverage["what"], coverage["items"], strict=True)) if len(coverage) else {}
        days = self.params.assumed_lead_time_days
        return self.show(days, "count") if days is not None and counts.get("lead_assumed", 0) > 0 else ""

    @property
    def all_assumed(self) -> bool:
        """Whether no lead time at all was measured or agreed."""
        coverage = self.result.coverage
        counts = dict(zip(coverage["what"], coverage["items"], strict=True)) if len(coverage) else {}
        return bool(self.assumed_days) and counts["lead_assumed"] == counts["planned"]

    def amount(self, value: Any, *, money: bool) -> str:
        """Return an amount in money, or in units."""
        return self.show(value, "money") if money else self.say("units", value=self.show(value, "quantity"))

    def target_word(self) -> str:
        return self.say("word.contract" if (self.total("contract_items") or 0) > 0 else "word.target")
