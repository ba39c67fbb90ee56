"""What a notebook's set-up cell calls: parameters checked, slice read, and in the end the result kept.

A report's kernel finds its slice in the folder that ``CMI_SLICE`` names and nothing else. In JupyterLab the same call reads the
project's data folder, runs or reads the same book pass, and cuts the same slice: the numbers are the same.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.pages import Page
from cmi_analysis.params.merge import merge_params, validate_params
from cmi_analysis.params.models import MODELS, CommonParams
from cmi_analysis.stages.book import Book, read_or_make_book
from cmi_analysis.stages.edition import client_frames, client_page
from cmi_analysis.stages.forecast_frames import with_moves
from cmi_analysis.stages.keys import file_digest, notebook_digest, report_key, stage_key
from cmi_analysis.stages.ledger import read_ledger
from cmi_analysis.stages.project import Project, find_project
from cmi_analysis.stages.results import read_result, result_frames, write_frames, write_result
from cmi_analysis.tables import Slice
from cmi_analysis.tables.groups import ReportGroup, resolve_groups
from cmi_analysis.tables.store import Store, open_store, read_slice_folder

# stages that a later notebook of the same group uses again: name -> (notebook whose parameters it takes)
REUSED = {"forecast": "forecasting", "plan": "inventory_policy"}


@dataclass(frozen=True)
class Run:
    """One report being made.

    Attributes
    ----------
    notebook : str
        Name of the notebook.
    part : Slice
        All that the report may see.
    params : CommonParams
        The notebook's validated parameters.
    run_id : str
        First 12 hex digits of the report's content key.
    others : mapping of str to CommonParams
        Parameters of the group's other notebooks, for the stages that are used again.
    folder : Path or None
        Where stage results and the report's tables go.
    """

    notebook: str
    part: Slice
    params: Any
    run_id: str
    others: Mapping[str, CommonParams] = field(default_factory=dict)
    folder: Path | None = None

    def stage(self, name: str) -> Any:
        """Return the result of an earlier stage: the one another notebook left, else computed here and kept.

        Parameters
        ----------
        name : {"forecast", "plan"}
            Which stage.
        """
        from cmi_analysis.stages.inventory_policy import for_client

        result = self._whole_stage(name)
        if name == "forecast":
            return with_moves(result, self.part, lang=self.params.lang)
        return for_client(result) if name == "plan" and self.params.audience == "client" else result

    def _whole_stage(self, name: str) -> Any:
        """Return a stage's internal edition: one result serves both editions, and the ledger keeps it."""
        from cmi_analysis.stages.forecasting import ForecastResult, forecast
        from cmi_analysis.stages.inventory_policy import PlanResult, plan

        params: Any = self.others[REUSED[name]].model_copy(update={"audience": "internal"})
        key = stage_key(stage=name, params=params.model_dump(mode="json"), slice_key=self.part.key)
        kept = self.folder / "stages" / f"{name}-{key[:12]}" if self.folder else None
        kind: Any = ForecastResult if name == "forecast" else PlanResult
        if kept is not None and (kept / "result.json").exists():
            return read_result(kind, kept)
        result: Any = (
            forecast(self.part, params) if name == "forecast" else plan(self.part, params, forecast=self._whole_stage("forecast"))
        )
        self._keep(result, kept)
        return result

    @staticmethod
    def _keep(result: Any, kept: Path | None) -> None:
        if kept is not None:
            staging = kept.with_name(f".{kept.name}-{os.getpid()}")
            write_result(result, staging)
            if kept.exists():
                return
            staging.rename(kept)

    def finish(self, page: Page, result: Any) -> Page:
        """Stamp the page with run id and parameters and keep the report's tables; return the page.

        Parameters
        ----------
        page : Page
            What the messages say.
        result : dataclass
            The stage's result: its frames become the report's tables; of forecasts and plans the ledger keeps its part.

        Notes
        -----
        For a client, page and tables are the client edition; the ledger is internal and keeps the whole.
        """
        shown = self.params.model_dump(mode="json")
        strip = dataclasses.replace(page.strip, newest_on=newest_on(self.part) or page.strip.newest_on)
        page = dataclasses.replace(page, run_id=self.run_id, params=shown, strip=strip)
        frames, client = result_frames(result), page.audience == "client"
        if client:
            page, frames = client_page(page), client_frames(self.notebook, frames)
        if self.folder is not None:
            out = self.folder / "out" / self.notebook
            write_frames(frames, out / "tables")
            whole = self._whole_stage("plan") if client and self.notebook == REUSED["plan"] else result
            said = ledger_part(whole)
            if said:
                write_frames(said, out / "ledger")
            text = json.dumps(dataclasses.asdict(page), ensure_ascii=False, default=str, indent=1)
            (out / "page.json").write_text(text, "utf-8")
        return page


def newest_on(part: Slice) -> str:
    """Return the newest date of what a slice's customers sold, held and ordered [ISO date]; empty where there is none."""
    dated = {"sales": "date", "stock": "date", "orders": "ordered_on"}
    days = [part.tables[table][column].max() for table, column in dated.items() if part.tables.has(table, column)]
    return max(days).date().isoformat() if days else ""


def ledger_part(result: Any) -> dict[str, pd.DataFrame]:
    """Return what the ledger keeps of a result: of a forecast and of a plan their own choice, of all else nothing."""
    from cmi_analysis.stages import forecasting, inventory_policy

    if isinstance(result, forecasting.ForecastResult):
        return forecasting.ledger_frames(result)
    if isinstance(result, inventory_policy.PlanResult):
        return inventory_policy.ledger_frames(result)
    return {}


@dataclass(frozen=True)
class Prepared:
    """What every report of one as_of shares: the store, the book, the report groups."""

    project: Project
    store: Store
    as_of: dt.date
    book: Book
    groups: Mapping[str, ReportGroup]

    def cut(self, group: str) -> tuple[Slice, str]:
        """Return the slice of one report group and the hash of the ledger entries in it.

        Raises
        ------
        InputError
            Too many rows of one of its customer groups were set aside.
        """
        frames, ledger_key = read_ledger(self.project.state, group=group, before=self.as_of)
        part = self.store.read_slice(group, self.groups[group].members, as_of=self.as_of, book=self.book.frames)
        for name in part.tables["customers"]["customer_group"].unique():
            if name in self.store.catalogue.stopped:
                raise InputError(
                    expected=f"data of '{name}' that can be trusted",
                    found=self.store.catalogue.stopped[name],
                    fix="Run 'cmi check' on the data, mend the source, and run again.",
                )
        return dataclasses.replace(part, ledger=frames), ledger_key


def report_groups(project: Project, store: Store, book: Mapping[str, pd.DataFrame]) -> dict[str, ReportGroup]:
    """Return the report groups by id: those of ``params/groups`` that name members, and one for each customer group."""
    files = project.group_files()
    named: dict[str, dict[str, Any]] = {
        name: {**file.members, **({"title": file.title} if file.title else {})} for name, file in files.items() if file.members
    }
    customers = store.read(["customers"])["customers"]
    return {group.id: group for group in resolve_groups(customers, named or None, book=book)}


def prepare(project: Project, *, as_of: str = "", rebook: bool = False) -> Prepared:
    """Return what all reports of one as_of share; the data must be ingested."""
    store = open_store(project.state)
    if store.catalogue.stop_reasons:
        raise InputError(
            expected="data that can be trusted as a whole",
            found="; ".join(store.catalogue.stop_reasons),
            fix="Run 'cmi check' on the data, mend the source, and run again.",
        )
    day = dt.date.fromisoformat(as_of) if as_of else store.default_as_of()
    book = read_or_make_book(project, store, as_of=day, rebook=rebook)
    return Prepared(project, store, day, book, report_groups(project, store, book.frames))


def group_params(project: Project, group: str, *, as_of: dt.date, overrides: Mapping[str, Any]) -> dict[str, CommonParams]:
    """Return the merged parameters of every notebook for one group."""
    base, file = project.base(), project.group_files().get(group)
    fixed = {**overrides, "group": group, "as_of": as_of.isoformat()}
    return {name: merge_params(name, base=base, group=file, overrides=fixed) for name in MODELS}


def content_key(project: Project, notebook: str, *, params: CommonParams, part: Slice, ledger_key: str) -> str:
    """Return the content key of one report, 64 hex digits."""
    return report_key(
        notebook=notebook_digest(project.notebooks / f"{notebook}.ipynb"),
        lock=file_digest(project.lock_file),
        params=params.model_dump(mode="json"),
        slice_key=part.key,
        ledger_key=ledger_key,
    )


def open_run(notebook: str, namespace: Mapping[str, Any]) -> Run:
    """Return the run of `notebook` with the parameters found in `namespace` (the notebook's globals).

    Raises
    ------
    ParameterError
        A parameter has a wrong type or value.
    InputError
        There is no project, no data or no such group.
    """
    values = {name: namespace[name] for name in MODELS[notebook].model_fields if name in namespace}
    params = validate_params(notebook, values, where=f"the parameter cell of {notebook}.ipynb")
    folder = os.environ.get("CMI_SLICE", "")
    if folder:
        return _open_slice_folder(notebook, params, Path(folder))
    return _open_project(notebook, params)


def _open_slice_folder(notebook: str, params: CommonParams, folder: Path) -> Run:
    part = read_slice_folder(folder)
    about = json.loads((folder / "run.json").read_text("utf-8"))
    others = {name: validate_params(name, values, where="run.json") for name, values in about["params"].items()}
    return Run(notebook, part, params, about["keys"].get(notebook, "")[:12], {**others, notebook: params}, folder)


def _open_project(notebook: str, params: CommonParams) -> Run:
    from cmi_analysis.tables.ingest import ingest  # a report's kernel does without

    project = find_project()
    settings = project.settings()
    if settings.data:
        mapping = project.root / settings.mapping if settings.mapping else None
        ingest(project.root / settings.data, state=project.state, mapping=mapping)
    shared = prepare(project, as_of=params.as_of)
    group = params.group or next(iter(shared.groups))
    if group not in shared.groups:
        raise InputError(
            expected="a report group of this data set", found=f"'{group}'", fix=f"Groups: {', '.join(list(shared.groups)[:20])}."
        )
    part, ledger_key = shared.cut(group)
    fixed = params.model_copy(update={"group": group, "as_of": shared.as_of.isoformat()})
    chosen = {"lang": params.lang, "audience": params.audience}
    others = {**group_params(project, group, as_of=shared.as_of, overrides=chosen), notebook: fixed}
    key = content_key(project, notebook, params=fixed, part=part, ledger_key=ledger_key)
    folder = project.state / "interactive" / part.key[:12]
    return Run(notebook, part, fixed, key[:12], others, folder)
