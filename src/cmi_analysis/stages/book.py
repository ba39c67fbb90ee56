"""The book pass: what needs more than one group, computed once per as_of over all of them, then frozen.

A report's kernel never sees another group's rows; it gets these frames cut to its own group (`tables.store.cut_book`).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.params.merge import merge_params
from cmi_analysis.params.models import CommonParams
from cmi_analysis.params.strategy import DEFAULT_STRATEGY, Strategy, read_strategy
from cmi_analysis.stages.keys import digest
from cmi_analysis.stages.plan_strategy import table_strategy
from cmi_analysis.stages.project import Project
from cmi_analysis.stages.results import read_frames, write_frames
from cmi_analysis.tables import DataSet
from cmi_analysis.tables.slicing import slice_as_of
from cmi_analysis.tables.store import Store, open_store

BOOK_NOTEBOOKS = ("segmentation", "forecasting", "performance_review")


@dataclass(frozen=True)
class Book:
    """The book's frames, where they are kept, and whether the data have moved on since they were frozen."""

    frames: Mapping[str, pd.DataFrame]
    folder: Path
    made: bool
    data_moved: bool


def compute_book(
    tables: DataSet, *, as_of: dt.date, params: Mapping[str, CommonParams], strategy: Strategy | None = None
) -> dict[str, pd.DataFrame]:
    """Return the frames that need all groups: scores and cut points, seasonal indices, peer bands.

    Parameters
    ----------
    tables : DataSet
        All groups' tables, already cut at `as_of`.
    as_of : datetime.date
        Reference date.
    params : mapping of str to CommonParams
        Parameters by notebook, from base.yml alone: the book is one for all groups.
    strategy : Strategy, optional
        The reviewed strategy; it becomes a frame of the book.
    """
    from cmi_analysis.stages.forecasting import forecast_book
    from cmi_analysis.stages.performance_review import review_book
    from cmi_analysis.stages.segmentation import segment_book

    frames: dict[str, pd.DataFrame] = {}
    frames |= forecast_book(tables, as_of=as_of, params=params["forecasting"])  # type: ignore[arg-type]
    seasons = frames["seasonal_indices"]
    pooled = segment_book(tables, as_of=as_of, params=params["segmentation"], indices=seasons, strategy=strategy)  # type: ignore[arg-type]
    frames |= pooled
    frames |= review_book(tables, as_of=as_of, params=params["performance_review"])  # type: ignore[arg-type]
    return frames if strategy is None else frames | {"strategy": table_strategy(strategy)}


def book_params(project: Project) -> dict[str, CommonParams]:
    """Return the parameters of the book pass by notebook."""
    base = project.base()
    return {name: merge_params(name, base=base, group=None, overrides={}) for name in BOOK_NOTEBOOKS}


def _folder(project: Project, as_of: dt.date) -> Path:
    """Return where the book of `as_of` is kept: another one for other parameters or another strategy."""
    shown = {
        name: model.model_dump(mode="json", exclude={"group", "as_of", "lang", "audience"})
        for name, model in book_params(project).items()
    }
    key = digest("book", shown, _strategy(project).model_dump(mode="json"))
    return project.state / "book" / f"{as_of.isoformat()}-{key[:12]}"


def _strategy(project: Project) -> Strategy:
    """Return the rules of ``strategy.yml`` beside base.yml, the one default rule where there is none."""
    path = project.params / "strategy.yml"
    return read_strategy(path) if path.exists() else DEFAULT_STRATEGY


def make_book(project: Project, *, as_of: dt.date) -> Path:
    """Compute the book in this process and put it in place whole; return its folder."""
    store = open_store(project.state)
    params = book_params(project)
    frames = compute_book(slice_as_of(store.read(), as_of), as_of=as_of, params=params, strategy=_strategy(project))
    target = _folder(project, as_of)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
    write_frames(frames, staging)
    about: dict[str, Any] = {"as_of": as_of.isoformat(), "data_key": store.catalogue.key}
    (staging / "book.json").write_text(json.dumps(about), "utf-8")
    if target.exists():
        shutil.rmtree(target)
    staging.rename(target)
    return target


def read_or_make_book(project: Project, store: Store, *, as_of: dt.date, rebook: bool = False) -> Book:
    """Return the frozen book of `as_of`, made in a process of its own where there is none or `rebook` asks for it.

    Raises
    ------
    InputError
        The book pass failed; the message carries its last line.
    """
    folder = _folder(project, as_of)
    made = rebook or not (folder / "book.json").exists()
    if made:
        command = [sys.executable, "-m", "cmi_analysis.stages.book", as_of.isoformat()]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        paths = {
            "CMI_PROJECT": str(project.root),
            "CMI_PARAMS": str(project.params),
            "CMI_STATE": str(project.state),
            "CMI_REPORTS": str(project.reports),
        }
        done = subprocess.run(command, env=os.environ | threads | paths, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise InputError(
                expected="the book pass over all groups to end", found=last, fix="Run 'cmi check' on the data, then again."
            )
    about = json.loads((folder / "book.json").read_text("utf-8"))
    return Book(read_frames(folder), folder, made, about["data_key"] != store.catalogue.key)


if __name__ == "__main__":
    from cmi_analysis.stages.project import find_project

    make_book(find_project(), as_of=dt.date.fromisoformat(sys.argv[1]))
