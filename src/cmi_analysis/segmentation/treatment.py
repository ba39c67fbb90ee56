"""A suggestion for each segment: who goes first when stock is short, which service to aim at, how often to look and to call."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cmi_analysis.segmentation.rules import ORDER, SILENT

TREATMENT = ("segment", "shortage_priority", "service_target", "review_period_days", "contact_days", "next_step")

# shortage priority (1 first), service target, days between two reviews, days between two contacts, key of the next step
_SUGGESTED: dict[str, tuple[int, float, int, int, str]] = {
    "champions": (1, 0.98, 7, 14, "protect"),
    "loyal": (1, 0.97, 7, 30, "protect"),
    "cannot_lose": (1, 0.98, 7, 7, "win_back"),
    "potential_loyalists": (2, 0.96, 7, 30, "develop"),
    "new_customers": (2, 0.96, 7, 14, "develop"),
    "at_risk": (2, 0.96, 7, 14, "win_back"),
    "need_attention": (2, 0.95, 14, 30, "ask"),
    "promising": (3, 0.95, 14, 30, "develop"),
    "about_to_sleep": (3, 0.93, 14, 45, "ask"),
    "hibernating": (4, 0.90, 28, 90, "low_effort"),
    "lost": (4, 0.90, 28, 180, "low_effort"),
    "important_value": (1, 0.98, 7, 14, "protect"),
    "important_development": (1, 0.97, 7, 30, "develop"),
    "important_retention": (1, 0.97, 7, 14, "win_back"),
    "important_winback": (2, 0.96, 7, 7, "win_back"),
    "general_value": (2, 0.95, 14, 45, "protect"),
    "general_development": (3, 0.94, 14, 45, "develop"),
    "general_retention": (3, 0.93, 14, 60, "ask"),
    "general_winback": (4, 0.90, 28, 180, "low_effort"),
    SILENT: (4, 0.90, 28, 180, "low_effort"),
}


def propose_treatment(*, names: str = "western", segments: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the suggested treatment of every segment of a rule table, in its order, "no_orders" last.

    Parameters
    ----------
    names : {"western", "chinese"}
        Which names.
    segments : sequence of str, optional
        Segments of the user's own rules instead; one that is not among the known names gets the middle of everything.

    Returns
    -------
    pandas.DataFrame
        ``segment``, ``shortage_priority`` (1 is served first), ``service_target`` [fraction], ``review_period_days``,
        ``contact_days`` [days], ``next_step`` (protect, develop, win_back, ask, low_effort).

    Notes
    -----
    A starting point for people to review, not a rule: a contract always goes before it. A customer in danger that is worth much
    (cannot_lose) gets the same service as a champion, because a shortage is what would end it.
    """
    chosen = ORDER[names] if segments is None else tuple(segments)
    rows = [(segment, *_SUGGESTED.get(segment, _SUGGESTED["need_attention"])) for segment in (*chosen, SILENT)]
    return pd.DataFrame(rows, columns=list(TREATMENT))
