"""What has been published: the pages of all groups as frames, for the index and the management summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cmi_analysis.tables.hashing import safe_name

GROUP_COLUMNS = ("group", "title", "notebook", "as_of", "key", "status", "badness", "headline", "period", "currency")
CARD_COLUMNS = (
    "group",
    "notebook",
    "key",
    "value",
    "kind",
    "n",
    "last_year",
    "target",
    "direction",
    "status",
    "numerator",
    "denominator",
    "note",
    "spark",
)
ACTION_COLUMNS = ("group", "notebook", "text", "who", "due_on", "effect", "cash_ours", "cash_customer", "otherwise")
RUN_COLUMNS = ("group", "notebook", "state", "cause", "as_of")


def report_folder(reports: Path, group: str) -> Path:
    """Return the folder of a group's last good reports, inside `reports` whatever the group is called."""
    return reports / "latest" / safe_name(group)


def read_records(reports: Path) -> list[dict[str, Any]]:
    """Return the record of every published report of a group, in order of group and notebook."""
    paths = sorted((reports / "latest").glob("*/*.json"))
    records = [json.loads(path.read_text("utf-8")) for path in paths]
    return sorted(records, key=lambda record: (record["group"], record["notebook"]))


def _frame(rows: Iterable[Mapping[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))


def published_frames(
    records: Iterable[Mapping[str, Any]], *, titles: Mapping[str, str], runs: Iterable[Mapping[str, Any]]
) -> dict[str, pd.DataFrame]:
    """Return the frames that the management summary reads.

    Parameters
    ----------
    records : iterable of mapping
        Published records (`read_records`).
    titles : mapping of str to str
        Display name by group.
    runs : iterable of mapping
        What became of each report in the present run: columns of ``runs`` below.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``groups`` (one row per report), ``cards``, ``actions`` (one row each per report), ``runs``.
    """
    groups, cards, actions = [], [], []
    for record in records:
        page = record["page"]
        where = {"group": record["group"], "notebook": record["notebook"]}
        title = titles.get(record["group"], record["group"])
        kept = {name: page.get(name) for name in ("status", "badness", "headline", "period", "currency")}
        groups.append({**where, "title": title, "as_of": record["as_of"], "key": record["key"], **kept})
        cards += [{**card, **where, "key": card["key"], "spark": json.dumps(card.get("spark", []))} for card in page["cards"]]
        actions += [{**action, **where} for action in page["actions"]]
    frames = {
        "groups": _frame(groups, GROUP_COLUMNS),
        "cards": _frame(cards, CARD_COLUMNS),
        "actions": _frame(actions, ACTION_COLUMNS),
        "runs": _frame(runs, RUN_COLUMNS),
    }
    for name in ("value", "n", "last_year", "target", "numerator", "denominator"):
        frames["cards"][name] = pd.to_numeric(frames["cards"][name])
    for name in ("effect", "cash_ours", "cash_customer"):
        frames["actions"][name] = pd.to_numeric(frames["actions"][name])
    return frames


def page_cards(path: Path, *, group: str, notebook: str) -> pd.DataFrame:
    """Return the cards of one page for the ledger: columns group, notebook, key, value."""
    page = json.loads(path.read_text("utf-8"))
    rows = [{"group": group, "notebook": notebook, "key": card["key"], "value": card["value"]} for card in page["cards"]]
    frame = _frame(rows, ("group", "notebook", "key", "value"))
    return frame.assign(value=pd.to_numeric(frame["value"]).astype("float64"))
