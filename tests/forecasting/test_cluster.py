"""A cluster gives the numbers of this process, to the last bit."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.cluster import HERE, Workers, cluster_workers
from cmi_analysis.forecasting.public import forecast_all

WEEKS = pd.date_range("2022-01-03", periods=110, freq="W-MON")
CLUSTER = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
FRAMES = ("forecasts", "sums", "choice", "backtest", "errors", "sum_errors")


def sales() -> pd.DataFrame:
    """Twenty-five series of several lengths and patterns, one of them new."""
    random = np.random.default_rng(3)
    frames = []
    for k in range(25):
        first = [0, 0, 30, 104, 0][k % 5]
        quantity = random.poisson([0.3, 6, 12, 20, 40][k // 5], len(WEEKS) - first).astype(float)
        one = {"customer_id": f"C{k % 5}", "product_id": f"P{k // 5}", "date": WEEKS[first:], "quantity": quantity}
        frames.append(pd.DataFrame(one))
    return pd.concat(frames, ignore_index=True)


def told() -> dict[str, pd.DataFrame]:
    """What is told beside the sales."""
    rows = sales().tail(110)
    issued = rows.assign(issued_on=rows["date"] - pd.Timedelta(weeks=3), period=rows["date"]).drop(columns="date")
    days = pd.DatetimeIndex(["2022-04-15", "2023-04-07", "2024-03-29"])
    return {"customer_forecasts": issued, "holidays": pd.DataFrame({"date": days, "name": "Good Friday"})}


def assert_same(one, other) -> None:
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def test_parts_of_the_series_give_the_same_bits_as_the_whole(monkeypatch):
    settings = {"horizon": 6, "frequency": "week", "folds": 2, "profile": "quick"}
    whole = forecast_all(sales(), **settings, **told())
    monkeypatch.setattr("cmi_analysis.forecasting.public.cluster_workers", lambda _: Workers(HERE.run, 7))
    assert_same(forecast_all(sales(), **settings, **told()), whole)
    assert (whole.choice["reason"] == "kin_product").any()


def test_the_parts_are_gapless_and_cover_every_series_once():
    parts = Workers(HERE.run, 4).bounds(10)
    assert [number for first, last in parts for number in range(first, last)] == list(range(10))
    assert Workers(HERE.run, 4).bounds(2) == [(0, 1), (1, 2)]


def test_what_is_no_client_is_refused():
    with pytest.raises(InputError, match="client"):
        cluster_workers("tcp://somewhere:8786")


@pytest.mark.slow
def test_two_worker_processes_give_the_same_bits_as_this_one(tmp_path):
    if os.environ.get("CI", "").lower() not in ("1", "true"):
        pytest.importorskip("distributed", reason="no cluster is tried: 'distributed' is not installed (extra 'cluster')")
    import dask
    from distributed import Client, LocalCluster

    quiet = {"distributed.worker.daemon": True, "temporary-directory": str(tmp_path), "distributed.admin.tick.interval": "1h"}
    with dask.config.set(quiet), LocalCluster(**CLUSTER) as cluster, Client(cluster) as client:
        spread = forecast_all(sales(), horizon=6, frequency="week", folds=2, client=client, **told())
        workers = client.run(os.getpid)
    assert len(set(workers.values()) - {os.getpid()}) == 2
    assert_same(spread, forecast_all(sales(), horizon=6, frequency="week", folds=2, **told()))


def test_a_product_that_ended_everywhere_is_told_from_the_whole_panel_not_from_a_part(monkeypatch):
    rows = sales()
    ended = (rows["product_id"] == "P0") & (
        rows["date"] > WEEKS[-13]
    )  # rare, and silent for 12 weeks at every customer, with stock
    rows.loc[ended, "quantity"] = 0.0
    stock = rows[["customer_id", "product_id", "date"]].assign(on_hand=50.0)
    settings = {"horizon": 4, "frequency": "week", "folds": 2, "profile": "quick", "stock": stock}
    whole = forecast_all(rows, **settings)
    monkeypatch.setattr("cmi_analysis.forecasting.public.cluster_workers", lambda _: Workers(HERE.run, 7))
    assert_same(forecast_all(rows, **settings), whole)
    old = (whole.choice["product_id"] == "P0") & (whole.choice["state"] != "new")
    assert set(whole.choice.loc[old, "state"]) == {"dead"}
