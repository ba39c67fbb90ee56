"""Slices from files: only the group's own rows, only the group's own files, the same key for the same content."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.tables import DataSet, Slice, no_issues
from cmi_analysis.tables import parquet as files
from cmi_analysis.tables.cutting import cut_book, cut_issues, cut_own, cut_shared
from cmi_analysis.tables.groups import customer_groups
from cmi_analysis.tables.ingest import write_dataset
from cmi_analysis.tables.schemas import SCHEMAS, conform
from cmi_analysis.tables.store import Store, open_store, read_slice_folder, write_slice

AS_OF = dt.date(2024, 6, 30)
GROUPS = 50
DAYS = pd.to_datetime(["2024-01-01", "2024-06-03", "2024-07-01"])  # Mondays: rows of sales stand for weeks
NEWEST = pd.Timestamp("2024-07-07").as_unit("ns")


def _canary(group: int) -> str:
    return f"canary{group:03d}x"


def _book_of_canaries() -> dict[str, pd.DataFrame]:
    """Return tables in which every text of group g holds the canary of g, and shared ones name all groups' things."""
    rows = []
    for group in range(GROUPS):
        bird = _canary(group)
        for customer in range(2):
            for product in range(2):
                for day in DAYS:
                    rows.append((f"G {bird}/..", f"{bird}-c{customer}", f"{bird}-p{product}", f"{bird}-s", f"{bird}-w", day))
    base = pd.DataFrame(rows, columns=["group", "customer", "product", "supplier", "warehouse", "day"])
    number = base.index.astype(str)
    own = {"customer_id": base["customer"], "product_id": base["product"]}
    one = base.drop_duplicates("customer")
    item = base.drop_duplicates("product")
    order = {"order_id": base["customer"] + "-o" + number, "line": "1"}
    bird, day = base["customer"], base["day"]
    frames = {
        "customers": {"customer_id": one["customer"], "customer_name": "Name " + one["customer"]}
        | {"customer_group": one["group"], "calendar_id": "cal " + one["customer"]},
        "products": {"product_id": item["product"], "product_name": "P " + item["product"], "supplier_id": item["supplier"]},
        "assortment": own | {"valid_from_on": DAYS[0], "owner": "customer"},
        "sales": own | {"date": day, "quantity": 1.0, "in_stock": True},
        "orders": order | own | {"ordered_on": day, "quantity_ordered": 3.0, "status": "st " + bird},
        "deliveries": {"delivery_id": "d " + order["order_id"]} | order | {"shipped_on": day, "quantity": 2.0},
        "stock": own | {"date": day, "on_hand": 5.0},
        "lots": {"node_id": bird, "product_id": base["product"], "lot": "lot " + bird, "date": day, "quantity": 1.0},
        "in_transit": own | {"expected_on": day, "quantity": 1.0},
        "warehouse_stock": {"warehouse_id": base["warehouse"], "product_id": base["product"], "date": day, "on_hand": 9.0},
        "customer_forecasts": own | {"issued_on": day, "period": day, "quantity": 1.0},
        "adjustments": own | {"issued_on": day, "period": day, "quantity": 1.0, "reason": "because " + bird},
        "returns": {"return_id": "r " + order["order_id"]} | own | {"returned_on": day, "quantity": 1.0},
        "transfers": {"transfer_id": "t " + order["order_id"], "from_id": bird, "to_id": np.roll(bird, -6)}
        | {"product_id": base["product"], "shipped_on": day, "quantity": 1.0},
        "receipts": {"receipt_id": "rc " + order["order_id"], "supplier_id": base["supplier"], "product_id": base["product"]}
        | {"ordered_on": day, "received_on": day, "quantity_ordered": 1.0, "quantity_received": 1.0},
        "purchase_orders": {"po_id": "po " + order["order_id"], "line": "1", "supplier_id": base["supplier"]}
        | {"product_id": base["product"], "ordered_on": day, "quantity": 1.0},
        "suppliers": {"supplier_id": item["supplier"].unique()},
        "supplier_products": {"supplier_id": item["supplier"], "product_id": item["product"]},
        "promotions": {"promotion_id": "pr " + one["customer"], "starts_on": DAYS[0], "ends_on": DAYS[1]}
        | {"customer_group": one["group"]},
        "costs": {"cost": "freight_cost", "customer_id": one["customer"], "value": 2.0},
        "targets": {"kpi": "otif", "customer_id": one["customer"], "value": 0.9},
        "contracts": {"contract_id": "ct " + one["customer"], "customer_id": one["customer"], "measure": "otif"}
        | {"level": 0.9, "window": "month", "valid_from_on": DAYS[0]},
        "calendars": {"calendar_id": "cal " + one["customer"], "date": DAYS[0], "open": True},
        "feeds": {"customer_id": one["customer"], "table": "sales", "due_on": DAYS[0]},
        "feedback": {"feedback_id": "f " + one["customer"], "customer_id": one["customer"], "date": DAYS[0]}
        | {"text": "says " + one["customer"]},
        "control_totals": {"table": ["sales"], "period": [DAYS[0]], "rows": [600.0]},
        "drivers": {"name": ["index"], "period": [DAYS[0]], "value": [1.0]},
    }
    return {name: conform(name, pd.DataFrame(columns)) for name, columns in frames.items()}


def _set_aside() -> dict[str, pd.DataFrame]:
    customers = [f"{_canary(group)}-c0" for group in range(GROUPS) for _ in range(3)]
    return {"sales": pd.DataFrame({"file": "sales.csv", "line": 2, "rule": "r", "customer_id": customers})}


def _issues() -> pd.DataFrame:
    rows = [
        {
            "table": "sales",
            "customer_group": f"G {_canary(group)}/..",
            "rule": "r",
            "rows": 3,
            "example": _canary(group),
            "done": "set aside",
        }
        for group in range(GROUPS)
    ]
    return no_issues().merge(pd.DataFrame(rows), how="outer")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    state = tmp_path_factory.mktemp("state")
    write_dataset(DataSet(_book_of_canaries(), issues=_issues()), state=state, set_aside=_set_aside())
    return open_store(state)


def _book_frames() -> dict[str, pd.DataFrame]:
    names = [_canary(group) for group in range(GROUPS)]
    return {
        "scores": pd.DataFrame({"customer_id": pd.Categorical([f"{name}-c0" for name in names]), "rfm": range(GROUPS)}),
        "seasons": pd.DataFrame({"customer_group": [*(f"G {name}/.." for name in names), ""], "value": 1.0}),
        "peers": pd.DataFrame({"peer_group": names, "band": 0.5}),
        "cuts": pd.DataFrame({"score": [1, 2], "upto": [5.0, 9.0]}),
    }


def _slice(store: Store, group: int = 7) -> Slice:
    ids = [f"{_canary(group)}-c0", f"{_canary(group)}-c1"]
    return store.read_slice(_canary(group), ids, as_of=AS_OF, book=_book_frames())


@pytest.mark.parametrize("group", [0, 7, 49])
def test_a_slice_holds_no_byte_of_another_group(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: int):
    part = _slice(store, group)
    plain = files.pq.write_table
    monkeypatch.setattr(files.pq, "write_table", lambda table, path, **_: plain(table, path, compression="none"))
    write_slice(part, tmp_path / "plain")
    monkeypatch.undo()
    write_slice(part, tmp_path / "slice")
    written = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) > 50
    for path in written:
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += files.read_frame(path).to_csv().encode()
        for other in range(GROUPS):
            if other != group:
                assert _canary(other).encode() not in content, f"{path.name} holds {_canary(other)}"
    everything = b"".join(path.read_bytes() for path in written)
    assert everything.count(_canary(group).encode()) > 100


def test_a_slice_holds_all_rows_of_its_own(store: Store):
    part = _slice(store)
    counts = {name: len(frame) for name, frame in part.tables.frames.items()}
    # 2 customers, 2 products, 2 of the 3 days; snapshots without a date are known on the newest one, in July
    dated = dict.fromkeys(["sales", "orders", "deliveries", "stock", "lots", "warehouse_stock", "customer_forecasts"], 8)
    dated |= dict.fromkeys(["adjustments", "returns", "receipts", "purchase_orders"], 8)
    agreed = {"customers": 2, "products": 2, "suppliers": 1, "supplier_products": 2, "contracts": 2, "costs": 2, "targets": 2}
    agreed |= {"promotions": 2, "calendars": 2, "feeds": 2, "feedback": 2, "assortment": 12, "drivers": 1, "in_transit": 0}
    assert {name: count for name, count in counts.items() if name != "transfers"} == dated | agreed
    ends = set(part.tables["transfers"]["from_id"].dropna()) | set(part.tables["transfers"]["to_id"].dropna())
    assert ends == {"canary007x-c0", "canary007x-c1"}
    assert part.rows_set_aside == 3
    assert part.rows_in == sum(counts[name] for name in counts if SCHEMAS[name].partitioned)
    assert {name: len(frame) for name, frame in part.book.items()} == {"scores": 1, "seasons": 2, "peers": 1, "cuts": 2}
    assert part.tables.issues["example"].tolist() == ["canary007x"]


def test_only_the_groups_own_files_are_opened(store: Store, monkeypatch: pytest.MonkeyPatch):
    _slice(store, 3)  # the shared tables are kept after the first time
    opened = []
    monkeypatch.setattr(files, "read_frame", lambda path, real=files.read_frame: opened.append(path) or real(path))
    _slice(store, 7)
    assert len(opened) == len([name for name in store.catalogue.tables() if SCHEMAS[name].partitioned])
    assert all("canary007x" in path.parent.name for path in opened)


def test_a_slice_folder_gives_the_slice_back(store: Store, tmp_path: Path):
    said = {"forecasts": pd.DataFrame({"customer_id": ["1"], "mean": [2.0], "as_of": pd.to_datetime(["2024-01-01"])})}
    part = dataclasses.replace(_slice(store), ledger=said)
    write_slice(part, tmp_path / "slice")
    back = read_slice_folder(tmp_path / "slice")
    for one, two in ((part.tables.frames, back.tables.frames), (part.book, back.book), (part.ledger, back.ledger)):
        assert sorted(one) == sorted(two)
        for name, frame in one.items():
            pd.testing.assert_frame_equal(frame.convert_dtypes(), two[name].convert_dtypes(), check_dtype=False)
    pd.testing.assert_frame_equal(part.tables.issues, back.tables.issues)
    same = ("group", "as_of", "key", "rows_in", "rows_set_aside")
    assert [getattr(part, name) for name in same] == [getattr(back, name) for name in same]
    assert back.tables.settings == part.tables.settings
    with pytest.raises(InputError, match=r"slice\.json in the slice's folder; found none"):
        read_slice_folder(tmp_path)


def test_the_key_sees_content_and_not_the_order_of_rows(store: Store, tmp_path: Path):
    frames = _book_of_canaries()
    shuffled = {name: frame.sample(frac=1, random_state=5).reset_index(drop=True) for name, frame in frames.items()}
    write_dataset(DataSet(shuffled, issues=_issues()), state=tmp_path / "a")
    assert _slice(open_store(tmp_path / "a")).key == _slice(store).key

    # another group's rows and our own later ones make no difference, one cell of our own does
    other = frames["sales"]["customer_id"].str.startswith("canary008x") | (frames["sales"]["date"] == DAYS[2])
    sales = frames["sales"].assign(quantity=frames["sales"]["quantity"].mask(other, 77.0))
    write_dataset(DataSet({**frames, "sales": sales}, issues=_issues()), state=tmp_path / "b")
    assert _slice(open_store(tmp_path / "b")).key == _slice(store).key
    at = sales.index[sales["customer_id"] == "canary007x-c1"][0]
    write_dataset(
        DataSet({**frames, "sales": sales.assign(quantity=sales["quantity"].mask(sales.index == at, 2.0))}), state=tmp_path / "c"
    )
    assert _slice(open_store(tmp_path / "c")).key != _slice(store).key


def test_no_value_is_stored_as_a_category(store: Store):
    part = _slice(store)
    for frame in [*part.tables.frames.values(), *part.book.values()]:
        assert not any(isinstance(dtype, pd.CategoricalDtype) for dtype in frame.dtypes)


def test_whole_tables_come_back_as_they_were(store: Store):
    dataset = store.read()
    for name, frame in _book_of_canaries().items():
        if name == "in_transit":
            frame = frame.assign(known_on=NEWEST)
        key = list(SCHEMAS[name].key)
        key = [column for column in key if column in frame]
        pd.testing.assert_frame_equal(
            dataset[name].sort_values(key, ignore_index=True),
            frame.sort_values(key, ignore_index=True),
            check_like=True,
            check_dtype=False,
        )
    assert store.groups() == sorted(f"G {_canary(group)}/.." for group in range(GROUPS))
    assert store.default_as_of() == NEWEST.date()
    some = store.read(["sales", "products"], [f"G {_canary(1)}/.."])
    assert {name: len(frame) for name, frame in some.frames.items()} == {"sales": 12, "products": 100}


def test_an_unknown_customer_or_an_empty_state_is_an_error(store: Store, tmp_path: Path):
    with pytest.raises(InputError, match="customers of group 'x' in the data; found none of them"):
        store.read_slice("x", ["nobody"], as_of=AS_OF)
    with pytest.raises(InputError, match=r"found no .*/tables/catalogue\.json\. Run 'cmi ingest' first"):
        open_store(tmp_path)


def test_a_part_of_a_customer_group_sees_no_example_of_the_rest():
    issues = pd.DataFrame({"customer_group": ["A", "A", "B", ""], "line": "3", "value": "v", "example": "e", "rule": "r"})
    assert cut_issues(issues, customer_groups=["A"], whole=True)["example"].tolist() == ["e", "e"]
    assert cut_issues(issues, customer_groups=["A"], whole=False)["example"].tolist() == ["", ""]
    assert cut_issues(no_issues(), customer_groups=["A"], whole=True).empty


def test_the_book_keeps_own_customers_own_groups_and_aggregates():
    frame = pd.DataFrame({"customer_group": ["A", "B", "", "A"], "peer_group": ["g", "g", "g", "h"], "v": [1, 2, 3, 4]})
    cut = cut_book({"f": frame}, customer_ids=["1"], customer_groups=["A"], group="g")
    assert cut["f"]["v"].tolist() == [1, 3]


def test_shared_rows_for_everyone_stay_and_those_for_others_go():
    own = {"customers": pd.DataFrame({"customer_id": ["1"]}), "sales": pd.DataFrame({"product_id": ["p", None]})}
    customers = pd.DataFrame({"customer_id": ["1", "2"]})
    products = pd.DataFrame({"product_id": ["p", "q"], "category": ["c", "d"]})
    costs = pd.DataFrame(
        {"value": [1, 2, 3, 4, 5], "customer_id": [None, "1", "2", None, None], "category": [None, None, None, "c", "d"]}
    )
    promotions = pd.DataFrame({"promotion_id": ["a", "b", "c"], "product_id": [None, "p", "q"]})
    frames = {"customers": customers, "products": products, "costs": costs, "promotions": promotions}
    cut = cut_shared(frames, own, customer_groups=["A"])
    assert cut["costs"]["value"].tolist() == [1, 2, 4]
    assert cut["promotions"]["promotion_id"].tolist() == ["a", "b"]
    assert cut["products"]["product_id"].tolist() == ["p"]


def test_lots_and_transfers_of_our_warehouses_stay_and_other_customers_are_blank():
    customers = pd.DataFrame({"customer_id": ["1", "2"]})
    own = {"customers": customers.iloc[:1], "stock": pd.DataFrame({"product_id": ["p"]})}
    lots = pd.DataFrame({"node_id": ["1", "2", "w", "?"], "product_id": "p"})
    moves = pd.DataFrame({"from_id": ["1", "2", "w", "w", "v"], "to_id": ["2", "w", "1", "2", "w"], "product_id": "p"})
    warehouses = pd.DataFrame({"warehouse_id": ["w", "v"]})
    cut = cut_shared(
        {"customers": customers, "lots": lots, "transfers": moves, "warehouses": warehouses}, own, customer_groups=[]
    )
    assert cut["lots"]["node_id"].tolist() == ["1", "w"]
    assert cut["transfers"][["from_id", "to_id"]].to_numpy().tolist() == [["1", None], ["w", "1"], ["v", "w"]]


def test_control_totals_of_everybody_stay_only_with_everybody():
    totals = {"control_totals": pd.DataFrame({"table": ["sales"]})}
    assert "control_totals" not in cut_shared(totals, {}, customer_groups=[])
    assert len(cut_shared(totals, {}, customer_groups=[], everyone=True)["control_totals"]) == 1


def test_deliveries_follow_order_lines_not_order_numbers():
    orders = pd.DataFrame({"order_id": ["o", "o"], "line": ["1", "2"], "customer_id": ["1", "2"]})
    deliveries = pd.DataFrame({"delivery_id": ["a", "b", "c"], "order_id": ["o", "o", "x"], "line": ["1", "2", "1"]})
    cut = cut_own({"orders": orders, "deliveries": deliveries}, customer_ids=["1"])
    assert cut["deliveries"]["delivery_id"].tolist() == ["a"]
    assert cut_own({"deliveries": deliveries}, customer_ids=["1"])["deliveries"].empty


def test_customer_groups_of_the_store_follow_the_contract(tmp_path: Path):
    customers = conform("customers", pd.DataFrame({"customer_id": ["1", "2"], "customer_name": "n", "region": [None, "North"]}))
    sales = pd.DataFrame({"customer_id": ["1", "2", "9"], "product_id": "p", "date": DAYS[0], "quantity": 1.0})
    dataset = DataSet({"customers": customers, "sales": conform("sales", sales)})
    write_dataset(dataset, state=tmp_path)
    assert customer_groups(customers).tolist() == open_store(tmp_path).groups()[::-1] == ["ungrouped", "North"]
    assert len(open_store(tmp_path).read()["sales"]) == 3
    assert len(open_store(tmp_path).read(["sales"], ["North"])["sales"]) == 1


def test_only_the_warehouses_that_serve_the_group_are_seen_where_that_is_known():
    own = {
        "customers": pd.DataFrame({"customer_id": ["1"], "warehouse_id": ["w"]}),
        "orders": pd.DataFrame({"product_id": ["p"], "warehouse_id": ["v"]}),
    }
    stock = pd.DataFrame({"warehouse_id": ["w", "v", "u", None], "product_id": "p"})
    frames = {"warehouse_stock": stock, "warehouses": pd.DataFrame({"warehouse_id": ["w", "v", "u"]})}
    cut = cut_shared(frames, own, customer_groups=[])
    assert cut["warehouse_stock"]["warehouse_id"].fillna("nowhere").tolist() == ["w", "v", "nowhere"]
    assert len(cut["warehouses"]) == 3
    own["customers"] = pd.DataFrame({"customer_id": ["1", "2"], "warehouse_id": ["w", None]})
    assert len(cut_shared(frames, own, customer_groups=[])["warehouse_stock"]) == 4
