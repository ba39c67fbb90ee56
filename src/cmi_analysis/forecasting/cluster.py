"""The work on single series, done here or by the workers of a dask cluster, with the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cmi_analysis.errors import InputError
from cmi_analysis.forecasting.backtest import View, states_at, view_at
from cmi_analysis.forecasting.boosting import Run, run_here
from cmi_analysis.forecasting.grid import Wide

# parts of the series a thread of the cluster: a slow part then holds nobody up for long
_PARTS_A_THREAD = 4
# times that a part is done again after a worker was lost
_RETRIES = 3


@dataclass(frozen=True)
class Workers:
    """Where work on parts of the series is done.

    Attributes
    ----------
    run : callable
        Takes a function and a list of arguments, returns the list of results in the same order.
    parts : int
        Parts that the series are cut into [count].
    """

    run: Run
    parts: int

    def bounds(self, count: int) -> list[tuple[int, int]]:
        """Return first and behind-last number of each part of `count` series."""
        edges = np.unique(np.linspace(0, count, min(self.parts, max(count, 1)) + 1).astype(int))
        return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)) or [(0, count)]


HERE = Workers(run_here, 1)
"""This process."""


def cluster_workers(client: Any) -> Workers:
    """Return the workers of a dask cluster.

    Parameters
    ----------
    client : dask.distributed.Client or None
        Connected to workers that have this package; None: this process.

    Raises
    ------
    InputError
        It is no client, or no worker has joined yet.
    """
    if client is None:
        return HERE
    if not all(hasattr(client, name) for name in ("map", "gather", "nthreads")):
        raise InputError(
            expected="'client' as a dask.distributed.Client", found=type(client).__name__, fix="Give Client(...), or None."
        )
    threads = sum(client.nthreads().values())
    if not threads:
        raise InputError(expected="at least one worker", found="none", fix="Wait for them: client.wait_for_workers(1).")

    def run(function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
        return client.gather(client.map(function, list(parts), pure=False, retries=_RETRIES))

    return Workers(run, _PARTS_A_THREAD * threads)


def views_at(
    panel: Wide,
    days: Sequence[pd.Timestamp],
    *,
    boosting: Sequence[np.ndarray | None],
    workers: Workers = HERE,
    **shared: Any,
) -> list[View]:
    """Return `view_at` of each day, part by part of the series.

    Parameters
    ----------
    panel : Wide
        The whole panel.
    days : sequence of pandas.Timestamp
        Origins.
    boosting : sequence of numpy.ndarray or None
        The global model's forecasts from each origin, series × horizon.
    workers : Workers
        Where.
    shared
        More arguments of `view_at`.
    """
    about = {name: shared.get(name) for name in ("settings", "indices", "categories", "ends")}
    states = [states_at(panel, origin=day, **about) for day in days]  # type: ignore[arg-type]
    tasks = []
    for first, last in workers.bounds(len(panel.grid.series)):
        said = [None if values is None else values[first:last] for values in boosting]
        tasks.append((panel.part(first, last), said, [state[first:last] for state in states]))
    done = workers.run(partial(_views, days=list(days), shared=shared), tasks)
    return done[0] if len(done) == 1 else [_together([part[place] for part in done]) for place in range(len(days))]


def _views(
    task: tuple[Wide, list[np.ndarray | None], list[np.ndarray]], *, days: list[pd.Timestamp], shared: Mapping[str, Any]
) -> list[View]:
    panel, boosting, states = task
    return [
        view_at(panel, origin=day, boosting=said, states=state, **shared)
        for day, said, state in zip(days, boosting, states, strict=True)
    ]


def _together(parts: Sequence[View]) -> View:
    first = parts[0]
    forecasts = {name: np.concatenate([part.forecasts[name] for part in parts]) for name in first.forecasts}
    series = pd.concat([part.series for part in parts], ignore_index=True)
    return View(first.origin, first.ahead, series, forecasts, np.concatenate([part.index_next for part in parts]))
