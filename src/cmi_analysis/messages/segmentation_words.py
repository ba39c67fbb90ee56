"""Numbers and names of a segmentation as they stand in sentences."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cmi_analysis.labels import Language, format_value, has_text, text

WORDS = {"relation_stage": "relation", "value_tier": "tier", "order_style": "style", "demand_pattern": "pattern"}
SEPARATOR = {"en": ", ", "zh": "、"}


class SegmentWords:
    """The result of a segmentation with its way of writing.

    Parameters
    ----------
    result : SegmentationResult
        As `stages.segment` returns it.
    lang : {"en", "zh"}
        Language.
    """

    def __init__(self, result: Any, lang: Language) -> None:
        self.result, self.lang = result, lang
        self.facts: dict[str, Any] = dict(result.facts)
        self.kpis: pd.DataFrame = result.kpis.set_index("kpi")
        self.currency: str = self.facts["currency"]
        self.value_kind = "money" if self.facts["priced"] else "quantity"

    def say(self, key: str, **fields: str) -> str:
        """Return a text of the segmentation."""
        return text(f"segmentation.{key}", self.lang, **fields)

    def word(self, kind: str, name: Any) -> str:
        """Return the display name of a segment, behaviour, pattern or stage."""
        key = f"segmentation.{kind}.{name}"
        return text(key, self.lang) if has_text(key) else str(name)

    def value(self, number: Any) -> str:
        """Return money, or units where there are no prices."""
        shown = format_value(number, self.value_kind, self.lang, currency=self.currency)
        return shown if self.value_kind == "money" else self.say("units", value=shown)

    def rate(self, number: Any) -> str:
        """Return a share in percent."""
        return format_value(number, "rate", self.lang)

    def number(self, number: Any) -> str:
        """Return a figure with two digits."""
        return format_value(number, "ratio", self.lang)

    def change(self, number: Any) -> str:
        """Return a relative change with its sign."""
        return format_value(number, "signed_rate", self.lang)

    def count(self, number: Any) -> str:
        """Return a whole number."""
        return format_value(number, "count", self.lang)

    def month(self, number: Any) -> str:
        """Return the name of a month."""
        return text(f"forecasting.month.{int(number)}", self.lang)

    def join(self, parts: list[str]) -> str:
        """Return the parts as a list in a sentence."""
        return SEPARATOR[self.lang].join(parts)

    def follow(self, *sentences: str) -> str:
        """Return sentences one after the other, as the language sets them."""
        return (" " if self.lang == "en" else "").join(sentence for sentence in sentences if sentence)

    def kpi(self, name: str, column: str = "value") -> float | None:
        """Return a figure of the cards, None where there is none."""
        if name not in self.kpis.index:
            return None
        number = float(self.kpis.loc[name, column])
        return None if math.isnan(number) else number

    def cases(self, name: str) -> int:
        """Return the number of cases behind a figure."""
        return int(self.kpis.loc[name, "n"]) if name in self.kpis.index else 0

    def counted(self, kind: str, *, least: int = 1) -> str:
        """Return how many customers stand in each stage, tier or market as "name n, …", from `least` on."""
        counts = self.facts["counts"][kind]
        return self.join(
            [f"{self.word(WORDS.get(kind, kind), name)} {self.count(n)}" for name, n in counts.items() if n >= least]
        )

    @property
    def unjudged(self) -> int:
        """Customers that ordered in the window, but too rarely to be judged by their rhythm."""
        customers = self.result.customers
        if "leaving_status" not in customers:
            return 0
        return int(((customers["leaving_status"] == "too_few") & (customers["orders"] > 0)).sum())

    @property
    def few_customers(self) -> bool:
        """Whether the top 20 % are a single customer, so that their share says nothing new."""
        return int((self.result.customers["value"] > 0).sum()) <= 5

    def shares(self, frame: pd.DataFrame, *, kind: str, name: str, share: str, most: int = 4) -> str:
        """Return the largest rows of a frame as "name share, …"."""
        rows = frame.sort_values([share, name], ascending=[False, True], kind="stable").head(most)
        return self.join([f"{self.word(kind, row[name])} {self.rate(row[share])}" for _, row in rows.iterrows()])
