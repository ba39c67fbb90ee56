"""Ingesting: once, whole or not at all, with nothing lost silently; large tables like small ones."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.tables import ingest as ingesting
from cmi_analysis.tables import parquet as files
from cmi_analysis.tables import partitioning
from cmi_analysis.tables.hashing import hash_file
from cmi_analysis.tables.ingest import ingest
from cmi_analysis.tables.store import open_store

DAYS = pd.date_range("2024-01-01", periods=20, freq="W-MON")


def _tables() -> dict[str, pd.DataFrame]:
    ids = [f"{number:03d}" for number in range(6)]
    customers = pd.DataFrame(
        {"customer_id": ids, "customer_name": ids, "customer_group": ["北/..", "B", None] * 2, "region": "R"}
    )
    products = pd.DataFrame({"product_id": ["p1", "p2"], "product_name": ["one", "two"]})
    grid = pd.MultiIndex.from_product([ids, ["p1", "p2"], DAYS], names=["customer_id", "product_id", "date"]).to_frame(
        index=False
    )
    number = grid.index.astype(str)
    sales = grid.assign(quantity=range(len(grid)), promotion=grid.index % 2 == 0, in_stock=(grid.index % 4) / 4)
    orders = grid.rename(columns={"date": "ordered_on"}).assign(order_id="o" + number, line="1", quantity_ordered=4.0)
    orders = orders.assign(status="delivered", delivered_on=orders["ordered_on"] + pd.Timedelta(days=3))
    lines = orders[["order_id", "line"]].assign(quantity=4.0, shipped_on=orders["ordered_on"])
    stock = grid.assign(on_hand=5.0, blocked=None)
    tables = {"customers": customers, "products": products, "sales": sales, "orders": orders, "stock": stock}
    own = pd.MultiIndex.from_product([["w2", "w1"], ["p1", "p2"], DAYS], names=["warehouse_id", "product_id", "date"])
    tables["warehouse_stock"] = own.to_frame(index=False).assign(on_hand=7.0)
    return {**tables, "deliveries": lines.assign(delivery_id="d" + number)}


def _write(folder: Path, tables: dict[str, pd.DataFrame], *, ending: str = "csv") -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in tables.items():
        if ending == "csv":
            frame.to_csv(folder / f"{name}.csv", index=False)
        else:
            frame.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def _content(state: Path) -> dict[str, str]:
    catalogue = open_store(state).catalogue
    return {part.path.partition("/")[2]: part.sha256 for part in catalogue.parts}


def test_tables_lie_by_customer_group_with_a_catalogue_that_is_true(tmp_path: Path):
    catalogue = ingest(_write(tmp_path / "data", _tables()), state=tmp_path / "state")
    folder = tmp_path / "state" / "tables"
    assert json.loads((folder / "catalogue.json").read_text("utf-8"))["key"] == catalogue.key
    assert catalogue.groups() == ["B", "R", "北/.."]
    assert {name: catalogue.rows(name) for name in catalogue.tables()} == {
        "customers": 6, "deliveries": 240, "orders": 240, "products": 2, "sales": 240, "stock": 240, "warehouse_stock": 80,
    }  # fmt: skip
    assert all(hash_file(folder / part.path) == part.sha256 for part in catalogue.parts)
    assert [source.name for source in catalogue.sources] == [f"{name}.csv" for name in sorted(_tables())]
    assert catalogue.newest_on == "2024-05-19"
    store = open_store(tmp_path / "state")
    for name, customers in {"B": {"001", "004"}, "R": {"002", "005"}, "北/..": {"000", "003"}}.items():
        part = store.read(customer_groups=[name])
        assert set(part["sales"]["customer_id"]) == set(part["orders"]["customer_id"]) == customers
        assert set(part["deliveries"]["order_id"]) == set(part["orders"]["order_id"])
        assert part["sales"][["customer_id", "product_id", "date"]].equals(
            part["sales"][["customer_id", "product_id", "date"]].sort_values(["customer_id", "product_id", "date"])
        )


def test_the_same_source_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = _write(tmp_path / "data", _tables())
    first = ingest(data, state=tmp_path / "state")
    assert not first.unchanged
    monkeypatch.setattr(ingesting, "read_tables", lambda *_args, **_more: pytest.fail("the source was read again"))
    assert ingest(data, state=tmp_path / "state").unchanged
    monkeypatch.undo()

    changed = _tables()
    changed["sales"].loc[0, "quantity"] = 99
    second = ingest(_write(data, changed), state=tmp_path / "state")
    assert not second.unchanged
    assert second.key != first.key
    assert len([path for path in (tmp_path / "state" / "tables").iterdir() if path.is_dir()]) == 1


def test_a_lost_file_is_made_again(tmp_path: Path):
    data = _write(tmp_path / "data", _tables())
    first = ingest(data, state=tmp_path / "state")
    before = _content(tmp_path / "state")
    (tmp_path / "state" / "tables" / first.parts[0].path).unlink()
    assert not ingest(data, state=tmp_path / "state").unchanged
    assert _content(tmp_path / "state") == before


def test_rows_set_aside_are_counted_and_written_beside_the_data(tmp_path: Path):
    tables = _tables()
    tables["sales"] = tables["sales"].astype({"quantity": "object"})
    tables["sales"].loc[[3, 4], "quantity"] = "=1+1"
    tables["sales"].loc[239, "customer_id"] = "nobody"
    ingest(_write(tmp_path / "data", tables), state=tmp_path / "state")
    store = open_store(tmp_path / "state")
    assert store.catalogue.rows_set_aside == {"sales": {"": 1, "北/..": 2}}
    assert store.catalogue.rows("sales") == 237
    path = tmp_path / "state" / "tables" / store.catalogue.folder / "set_aside" / "sales.csv"
    written = pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    assert written["line"].tolist() == ["5", "6", "241"]
    assert written["quantity"].tolist()[:2] == ["'=1+1", "'=1+1"]
    part = store.read_slice("北", ["000", "003"], as_of=store.default_as_of())
    assert part.rows_set_aside == 2
    assert set(part.tables.issues["customer_group"]) == {"北/.."}


def test_a_group_above_the_share_limit_is_named_and_the_others_stand(tmp_path: Path):
    tables = _tables()
    days = pd.date_range("2020-01-06", periods=600, freq="W-MON")
    parts = [tables["sales"].iloc[:600].head(1).merge(pd.DataFrame({"date": days}), how="cross", suffixes=("_x", ""))]
    many = [parts[0].drop(columns="date_x").assign(customer_id=name) for name in ("000", "001", "002", "003", "004", "005")]
    tables["sales"] = pd.concat(many, ignore_index=True).astype({"quantity": "object"})
    tables["sales"].loc[list(range(40)), "quantity"] = "?"
    catalogue = ingest(_write(tmp_path / "data", tables), state=tmp_path / "state")
    assert list(catalogue.stopped) == ["北/.."]
    assert "3.3%" in catalogue.stopped["北/.."]


def test_data_that_cannot_be_used_leave_the_old_ones(tmp_path: Path):
    data = _write(tmp_path / "data", _tables())
    ingest(data, state=tmp_path / "state")
    before = _content(tmp_path / "state")
    (data / "products.csv").unlink()
    with pytest.raises(InputError, match="products"):
        ingest(data, state=tmp_path / "state")
    assert _content(tmp_path / "state") == before
    assert not list((tmp_path / "state" / "tables").glob(".writing-*"))


def test_a_write_that_fails_at_any_point_leaves_the_old_data_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = _write(tmp_path / "data", _tables())
    ingest(data, state=tmp_path / "state")
    before = _content(tmp_path / "state")
    changed = _tables()
    changed["stock"]["on_hand"] = 6.0
    _write(data, changed)
    for failing in range(1, 60):
        calls = {"left": failing}

        def once(real, calls=calls):
            def call(*args, **more):
                calls["left"] -= 1
                if calls["left"] == 0:
                    raise OSError(28, "No space left on device")
                return real(*args, **more)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(files.pq, "write_table", once(files.pq.write_table))
            patch.setattr(files.os, "fsync", once(files.os.fsync))
            patch.setattr(Path, "rename", once(Path.rename))
            patch.setattr(Path, "replace", once(Path.replace))
            try:
                ingest(data, state=tmp_path / "state")
            except OSError:
                store = open_store(tmp_path / "state")
                whole = {part.path: hash_file(store.folder / part.path) for part in store.catalogue.parts}
                assert whole == {part.path: part.sha256 for part in store.catalogue.parts}
                continue
        break
    assert failing > 30
    assert _content(tmp_path / "state") != before
    assert len([path for path in (tmp_path / "state" / "tables").iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("rows", [3, 100_000])
def test_a_table_read_in_batches_gives_the_same_data(tmp_path: Path, ending: str, rows: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(partitioning, "_SORTED_ROWS", rows)
    tables = _tables()
    bad = tables["orders"].assign(order_id=tables["orders"]["order_id"] + "x").iloc[[5, 100]].assign(quantity_ordered=-1.0)
    twice = tables["orders"].iloc[[0]]
    tables["orders"] = pd.concat([tables["orders"], bad, twice], ignore_index=True)
    again = tables["warehouse_stock"].iloc[[3, 3, 70]].assign(on_hand=[8.0, 9.0, 7.0])
    tables["warehouse_stock"] = pd.concat([tables["warehouse_stock"], again], ignore_index=True).sample(frac=1, random_state=2)
    data = _write(tmp_path / "data", tables, ending=ending)
    small = ingest(data, state=tmp_path / "small")
    large = ingest(data, state=tmp_path / "large", large_rows=20, memory_limit="40MB")
    one, two = open_store(tmp_path / "small"), open_store(tmp_path / "large")
    for name in small.tables():
        for group in [*small.groups(), None]:
            left = one.read([name], group and [group]).frames[name]
            right = two.read([name], group and [group]).frames[name]
            shared = [column for column in left if left[column].notna().any()]
            pd.testing.assert_frame_equal(left[shared], right[shared], check_dtype=name not in ("sales", "stock"))
    assert large.rows_set_aside["orders"] == small.rows_set_aside["orders"] == {"R": 1, "北/..": 2}
    assert large.newest_on == small.newest_on
    assert large.rows_set_aside["warehouse_stock"] == small.rows_set_aside["warehouse_stock"] == {"": 3}
    shown = ["table", "customer_group", "column", "rule", "rows", "done", "line"]
    found = [store.issues[store.issues["table"] == "orders"][shown].values.tolist() for store in (one, two)]
    assert found[0] == found[1]
    aside = [store.folder / store.catalogue.folder / "set_aside" / "orders.csv" for store in (one, two)]
    lines = [sorted(pd.read_csv(path, encoding="utf-8-sig")["line"].tolist()) for path in aside]
    assert lines[0] == lines[1]


def test_neither_batches_nor_the_order_of_parts_change_a_byte(tmp_path: Path):
    tables = _tables()
    whole = ingest(_write(tmp_path / "data", tables, ending="parquet"), state=tmp_path / "whole")
    before = _content(tmp_path / "whole")
    for name, cuts in (("forwards", [(0, 100), (100, 240)]), ("backwards", [(140, 240), (0, 140)])):
        data = _write(tmp_path / name, {key: frame for key, frame in tables.items() if key != "orders"}, ending="parquet")
        (data / "orders").mkdir()
        for number, (first, last) in enumerate(cuts):
            tables["orders"].iloc[first:last].to_parquet(data / "orders" / f"{number}.parquet", index=False)
        ingest(data, state=tmp_path / f"{name}-state", large_rows=20, memory_limit="40MB")
        after = _content(tmp_path / f"{name}-state")
        same = [path for path in before if path.startswith(("orders", "deliveries"))]
        assert len(same) == 2 * len(whole.groups())
        assert {path: after[path] for path in same} == {path: before[path] for path in same}


def test_lines_with_breaks_inside_quotes_are_not_cut(tmp_path: Path):
    tables = _tables()
    tables["orders"]["status"] = 'open,\n"at last"'
    data = _write(tmp_path / "data", tables)
    ingest(data, state=tmp_path / "state", large_rows=20, memory_limit="40MB")
    assert open_store(tmp_path / "state").catalogue.rows("orders") == 240


def test_a_wrong_memory_limit_is_an_error(tmp_path: Path):
    data = _write(tmp_path / "data", _tables())
    with pytest.raises(InputError, match="a memory limit such as 512MB or 1GB; found 'lots'"):
        ingest(data, state=tmp_path / "state", large_rows=20, memory_limit="lots")
