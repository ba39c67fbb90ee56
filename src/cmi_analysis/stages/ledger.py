"""The ledger: what each published run said, kept unchanged, so that a later review can own up to it.

One folder per (group, stage, as_of, content key) below ``state/ledger``, made whole in one rename and never written again.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cmi_analysis.stages.keys import digest
from cmi_analysis.stages.results import read_frames, write_frames
from cmi_analysis.tables.hashing import safe_name

STAGES = ("forecast", "plan")
# the cards of every published report, by notebook: what the management summary compares itself with
CARDS = "cards-"
_CARD_COLUMNS = ["group", "notebook", "key", "value"]


def _entries(state: Path, group: str, stage: str) -> list[dict[str, Any]]:
    folder = state / "ledger" / safe_name(group) / stage
    found = []
    for path in sorted(folder.glob("*/*/entry.json")):
        entry = json.loads(path.read_text("utf-8"))
        found.append(entry | {"folder": path.parent})
    return found


def write_entry(
    state: Path, *, group: str, stage: str, as_of: dt.date, key: str, frames: Mapping[str, pd.DataFrame], backfill: bool = False
) -> bool:
    """Write one entry, unless it is there or a newer as_of is; return whether it was written.

    Parameters
    ----------
    state : Path
        State folder.
    group, stage : str
        Whose entry, and what said it (``forecast`` or ``plan``).
    as_of : datetime.date
        What was known when it was said.
    key : str
        Content key of the published report.
    frames : mapping of str to pandas.DataFrame
        What was said.
    backfill : bool
        Write although newer entries exist; such an entry is marked and not scored.
    """
    entries = _entries(state, group, stage)
    if not backfill and any(entry["as_of"] > as_of.isoformat() for entry in entries):
        return False
    target = state / "ledger" / safe_name(group) / stage / as_of.isoformat() / key[:12]
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
    try:
        write_frames(frames, staging)
        rank = 1 + sum(entry["as_of"] == as_of.isoformat() for entry in entries)
        entry = {
            "group": group,
            "stage": stage,
            "as_of": as_of.isoformat(),
            "key": key,
            "published_rank": rank,
            "backfill": backfill,
        }
        (staging / "entry.json").write_text(json.dumps(entry, ensure_ascii=False), "utf-8")
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging, ignore_errors=True)
        if target.exists():
            return False
        raise
    _sync_folder(target.parent)
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_ledger(state: Path, *, group: str, before: dt.date) -> tuple[dict[str, pd.DataFrame], str]:
    """Return what earlier runs said of `group`, and the hash of the entries read.

    Of each as_of before `before` the first published entry counts; backfilled ones never.

    Returns
    -------
    frames : dict of str to pandas.DataFrame
        By frame name, all as_of dates below one another, with columns ``as_of`` and ``published_rank``.
    key : str
        Hash of the entries' keys; the same for the same entries.
    """
    frames: dict[str, list[pd.DataFrame]] = {}
    keys = []
    for stage in STAGES:
        for entry in _entries(state, group, stage):
            if entry["as_of"] >= before.isoformat() or entry["published_rank"] != 1 or entry["backfill"]:
                continue
            keys.append((stage, entry["as_of"], entry["key"]))
            for name, frame in read_frames(entry["folder"]).items():
                said = frame.assign(as_of=pd.Timestamp(entry["as_of"]), published_rank=1)
                frames.setdefault(name, []).append(said)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}, digest(keys)


def read_cards(state: Path, *, groups: Iterable[str], before: dt.date) -> tuple[pd.DataFrame, str]:
    """Return the cards of the newest report of each group and notebook before `before`, and the hash of the entries read.

    Returns
    -------
    cards : DataFrame
        Columns group, notebook, key, value; ordered by them.
    key : str
        Hash of the entries' keys.
    """
    found, keys = [], []
    for group in sorted(groups):
        folder = state / "ledger" / safe_name(group)
        for stage in sorted(path.name for path in folder.glob(f"{CARDS}*")):
            entries = [e for e in _entries(state, group, stage) if e["as_of"] < before.isoformat() and e["published_rank"] == 1]
            if entries:
                newest = max(entries, key=lambda entry: str(entry["as_of"]))
                found.append(read_frames(newest["folder"])["cards"])
                keys.append((group, stage, newest["as_of"], newest["key"]))
    frame = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_CARD_COLUMNS)
    return frame[_CARD_COLUMNS].assign(value=pd.to_numeric(frame["value"])), digest(keys)
