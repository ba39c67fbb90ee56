"""Writes a demo book as a data folder: tables, `dataset.yml`, and the planted truth beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import pandas as pd
import yaml

from cmi_analysis.demo import book, dirt
from cmi_analysis.demo.controls import control_totals, month_totals
from cmi_analysis.demo.layout import Layout, Size, SizeName

Format = Literal["csv", "parquet"]
BY_WAREHOUSE = ("lots", "warehouse_stock", "purchase_orders", "receipts")


def write_demo(
    out: Path,
    *,
    size: SizeName | Size = "small",
    seed: int = 1,
    dirty: bool = True,
    formats: Format = "csv",
    parts: bool | None = None,
) -> Path:
    """Write a demo book; the same arguments give the same bytes.

    Parameters
    ----------
    out : Path
        Folder of the data set, made if absent: `dataset.yml`, one file for each table, `truth/` with the planted truth as CSV.
    size, seed
        As in `make_demo`.
    dirty : bool
        Add a few bad rows to `sales`, `orders` and `stock`, listed in `truth/dirty.csv` (never to a book in parts).
    formats : {"csv", "parquet"}
        Kind of the table files.
    parts : bool, optional
        Write Parquet parts `<table>/customer_group=<group>/part-0.parquet` one warehouse after the other, in the memory of one
        warehouse; the default for ``"large"``. The truth then has the sums of each series, not each week's demand.

    Returns
    -------
    Path
        `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "truth").mkdir(exist_ok=True)
    if size == "large" if parts is None else parts:
        _write_parts(out, size=size, seed=seed)
        return out
    demo = book.make_demo(size=size, seed=seed)
    bad = [_write_table(out, name, frame, seed, dirty, formats) for name, frame in demo.tables.frames.items()]
    _write_truth(out, demo.truth)
    if dirty:
        _to_csv(pd.concat(bad, ignore_index=True), out / "truth" / "dirty.csv")
    _write_settings(out, book.settings(book.set_frame(size=size, seed=seed).layout))
    return out


def _to_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, date_format="%Y-%m-%d", lineterminator="\n", encoding="utf-8")


def _write_table(out: Path, name: str, frame: pd.DataFrame, seed: int, dirty: bool, formats: Format) -> pd.DataFrame:
    """Write one table and return the list of its bad rows."""
    typed = formats == "parquet"
    path = out / f"{name}.{formats}"
    bad = pd.DataFrame(columns=dirt.COLUMNS)
    if dirty and name in dirt.TABLES:
        frame, bad = dirt.soil(name, frame, file=path.name, seed=seed, typed=typed)
    if typed:
        frame.to_parquet(path, index=False, compression="zstd")
    else:
        _to_csv(frame, path)
    return bad


def _write_truth(out: Path, truth: Mapping[str, pd.DataFrame]) -> None:
    for name, frame in truth.items():
        _to_csv(frame, out / "truth" / f"{name}.csv")


def _write_settings(out: Path, settings: object) -> None:
    text = yaml.safe_dump(asdict(settings) | {"assumptions": []}, sort_keys=False, allow_unicode=True)
    (out / "dataset.yml").write_text(text, encoding="utf-8")


def _write_parts(out: Path, *, size: SizeName | Size, seed: int) -> None:
    """Write warehouse by warehouse; each warehouse must serve one group."""
    frame = book.set_frame(size=size, seed=seed)
    layout = frame.layout
    if layout.size.warehouses != layout.size.groups:
        raise ValueError("a book in parts needs one warehouse for each group")
    shared = book.tidy(book.shared_tables(frame))
    totals, series = [], []
    for number, (tables, truth) in enumerate(book.make_pools(frame, with_demand=False)):
        totals.append(month_totals(shared | tables))
        series.append(truth["series"])
        for name, table in book.tidy(tables).items():
            _write_part(out, name, table, layout, number)
    shared["control_totals"], differences = control_totals(totals)
    for name, table in shared.items():
        table.to_parquet(out / f"{name}.parquet", index=False, compression="zstd")
    _write_truth(out, book.shared_truth(frame) | {"control_differences": differences})
    pd.concat(series, ignore_index=True).to_parquet(out / "truth" / "series.parquet", index=False, compression="zstd")
    _write_settings(out, book.settings(layout))


def _write_part(out: Path, name: str, table: pd.DataFrame, layout: Layout, number: int) -> None:
    if table.empty:
        return
    folder = out / name
    if name in BY_WAREHOUSE:
        path = folder / f"{layout.warehouse_ids[number]}.parquet"
    elif name == "customers":
        path = folder / f"{layout.group_names[number]}.parquet"
    else:
        path = folder / f"customer_group={layout.group_names[number]}" / "part-0.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False, compression="zstd")
