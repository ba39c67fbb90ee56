"""What the sentences of the performance review share: formats, names, the largest cause, and joined labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cmi_analysis.labels import Language, format_value, kpi_name, returned_word, text

CAUSES = ("late", "short", "open", "cancelled_by_us")


@dataclass(frozen=True)
class Words:
    """Formats of one report: its language and its currency."""

    lang: Language
    currency: str = ""

    def say(self, key: str, **fields: Any) -> str:
        """Return a text of the area ``performance``."""
        return text(f"performance.{key}", self.lang, **fields)

    def show(self, value: Any, kind: str) -> str:
        """Return a value as the reader writes it."""
        return format_value(value, kind, self.lang, currency=self.currency)

    def money(self, value: Any, known: bool) -> str:
        """Return money, or units where no money is known."""
        return self.show(value, "money" if known else "quantity")

    def kpi(self, kpi: str, settings: Any = None) -> str:
        """Return the display name of a KPI; with the settings of a review, that of the customers' forecasts names its lag."""
        return kpi_name(kpi, self.lang, lag=None if settings is None else settings["forecast_lag"])

    def reason(self, name: str) -> str:
        """Return why goods came back: the usual reasons in the page's language, others as the data write them."""
        return returned_word(name, self.lang)

    def month(self, day: Any) -> str:
        """Return year and month of a date."""
        stamp = pd.Timestamp(day)
        return self.say("month", month=f"{stamp.month:02d}" if self.lang == "en" else str(stamp.month), year=str(stamp.year))

    def join(self, labels: list[tuple[str, str]]) -> str:
        """Return labels with their values, for alternative texts."""
        parts = [self.say("alt.points", label=label, value=value) for label, value in labels]
        return self.say("alt.join").join(parts) or self.say("alt.none")


def stockout_span(result: Any, words: Words) -> str:
    """Return the name of the time over which stock-out days are counted: four weeks, or the last month of monthly data."""
    return words.say("card.span_month" if result.settings.get("frequency") == "month" else "card.span_days")


def score_row(scorecard: pd.DataFrame, kpi: str) -> pd.Series | None:
    """Return the row of a KPI, None where there is none."""
    rows = scorecard[scorecard["kpi"] == kpi] if len(scorecard) else scorecard
    return rows.iloc[0] if len(rows) else None


def largest_cause(fill_gap: pd.DataFrame) -> pd.Series | None:
    """Return the row of the cause that cost most units, None where nothing was lost."""
    lost = fill_gap[fill_gap["cause"].isin(CAUSES) & (fill_gap["units"] > 0)] if len(fill_gap) else fill_gap
    return lost.loc[lost["units"].astype(float).idxmax()] if len(lost) else None


def most_biased(collaboration: pd.DataFrame) -> pd.Series | None:
    """Return the customer whose forecast is most biased, None where no bias is known."""
    known = collaboration.dropna(subset=["bias"]) if len(collaboration) else collaboration
    return known.loc[known["bias"].abs().idxmax()] if len(known) else None


def surely_biased(collaboration: pd.DataFrame, *, least: float) -> pd.Series | None:
    """Return the customer of the largest bias among those whose whole 95 % interval lies beyond `least`, None where none does.

    A year of a few irregular products is off by more than 10 % by chance alone: without the interval most groups would have
    someone to blame.
    """
    if not len(collaboration):
        return None
    sure = (collaboration["bias_low"] > least) | (collaboration["bias_high"] < -least)
    return most_biased(collaboration[sure])


def old_worth(ageing: pd.DataFrame) -> float:
    """Return the stock that was not used for more than 90 days."""
    return float(ageing.loc[~ageing["bucket"].isin(["up_to_30", "31_to_90"]), "worth"].sum()) if len(ageing) else 0.0


def missing_number(value: Any) -> bool:
    """Tell whether a value is missing."""
    return value is None or bool(pd.isna(value))
