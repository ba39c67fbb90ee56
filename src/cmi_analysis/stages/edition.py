"""The client edition of what a report leaves behind: tables, page and parameters without what is ours alone.

Stages leave confidential figures out of what a notebook shows a client; here the same holds for every published file, whatever
a stage has left in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cmi_analysis.names import (
    AT_COST_KPIS,
    CONFIDENTIAL_KPIS,
    is_confidential_param,
    is_internal_frame,
    shown_columns,
)
from cmi_analysis.pages import Action, Card, Page


def client_frames(notebook: str, frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the frames of a report that a client may have.

    Parameters
    ----------
    notebook : str
        Notebook that publishes them.
    frames : mapping of str to pandas.DataFrame
        Frames by name.

    Returns
    -------
    dict of str to pandas.DataFrame
        Without internal frames, confidential columns and rows of confidential KPIs; numerator and denominator of a KPI that is
        valued at our cost are blank.
    """
    shown = {}
    for name, frame in frames.items():
        full = f"{notebook}.{name}"
        if not is_internal_frame(full):
            shown[name] = _without_kpis(frame[shown_columns(full, map(str, frame.columns))])
    return shown


def _without_kpis(frame: pd.DataFrame) -> pd.DataFrame:
    if "kpi" not in frame:
        return frame
    kept = frame[~frame["kpi"].isin(CONFIDENTIAL_KPIS)].reset_index(drop=True)
    at_cost = kept["kpi"].isin(AT_COST_KPIS)
    blank = {name: kept[name].mask(at_cost) for name in ("numerator", "denominator") if name in kept}
    return kept.assign(**blank)


def client_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a client may see, by name."""
    return {name: value for name, value in params.items() if not is_confidential_param(name)}


def client_page(page: Page) -> Page:
    """Return the page without our profit, our cash, figures at our cost, the ledger's totals and confidential parameters."""
    cards = tuple(_client_card(card) for card in page.cards if card.key not in CONFIDENTIAL_KPIS)
    actions = tuple(_client_action(action) for action in page.actions)
    return dataclasses.replace(page, cards=cards, actions=actions, tie_out="", params=client_params(page.params))


def _client_card(card: Card) -> Card:
    return dataclasses.replace(card, numerator=None, denominator=None) if card.key in AT_COST_KPIS else card


def _client_action(action: Action) -> Action:
    return dataclasses.replace(action, effect=None, cash_ours=None)
