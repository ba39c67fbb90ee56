"""Charts of the notebook `inventory_policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cmi_analysis.figures.style import (
    ACTUAL,
    BETTER,
    GREY,
    LAST_YEAR,
    PALE,
    WORSE,
    direct_label,
    empty_note,
    new_axes,
    new_grid,
    subtitle,
)
from cmi_analysis.labels import Language, format_value, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_ROWS = 15


def _words(key: str, lang: Language, **values: str) -> str:
    return text(f"inventory.{key}", lang, **values)


def _bars_height(count: int) -> float:
    return 1.1 + 0.3 * max(min(count, _MOST_ROWS), 1)


def _name_rows(ax: Axes, names: list[str]) -> None:
    ax.set_yticks(range(len(names)), [name if len(name) <= 40 else f"{name[:39]}…" for name in names])
    ax.invert_yaxis()


def plot_service(frame: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Return dots of the expected (else promised) shelf fill of each customer, worst on top, with a mark at each target."""
    ax = ax or new_axes(height=_bars_height(len(frame)), grid="x")
    if frame.empty:
        return empty_note(ax, _words("figure.none", lang))
    rows = frame.head(_MOST_ROWS)
    known = bool(rows["expected"].notna().any())
    value = rows["expected" if known else "promised"].to_numpy(dtype="float64") * 100
    target = rows["target"].to_numpy(dtype="float64") * 100
    place = np.arange(len(rows))
    colours = [WORSE if v < t - 1e-7 else BETTER for v, t in zip(value, target, strict=True)]
    ax.hlines(place, np.minimum(value, target), np.maximum(value, target), color=colours, linewidth=6, alpha=0.35)
    ax.scatter(value, place, color=colours, s=60, zorder=3)
    ax.vlines(target, place - 0.36, place + 0.36, color=ACTUAL, linewidth=2)
    for y, (here, wanted) in enumerate(zip(value, target, strict=True)):
        if np.isfinite(here):
            sign = "▼ " if here < wanted - 1e-7 else ""
            direct_label(ax, max(here, wanted), y, f"{sign}{here:.1f}%", dx=9)
    ax.margins(x=0.08)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    _name_rows(ax, rows["customer_name"].astype(str).tolist())
    subtitle(ax, _words("figure.service" if known else "figure.service_policy", lang))
    return ax


def plot_stock_money(frame: pd.DataFrame, *, lang: Language = "en", currency: str = "", ax: Axes | None = None) -> Axes:
    """Return bars of stock now, model stock, what can be released and what is missing, for each owner."""
    names = ["stock_now", "model_stock", "releasable", "missing"]
    ax = ax or new_axes(height=1.0 + 1.3 * max(len(frame), 1), grid="x")
    if frame.empty:
        return empty_note(ax, _words("figure.none", lang))
    money = bool(frame["stock_now_value"].notna().any())
    columns = [f"{name}_value" if money else name for name in names]
    labels, values, colours = [], [], []
    for row in frame.to_dict("records"):
        owner = _words(f"owner.{row['owner']}", lang)
        before = f"{owner}: " if len(frame) > 1 else ""
        labels += [f"{before}{text(f'column.{name}', lang)}" for name in names]
        values += [float(row[column]) if pd.notna(row[column]) else 0.0 for column in columns]
        colours += [ACTUAL, LAST_YEAR, BETTER, WORSE]
    ax.barh(range(len(values)), values, color=colours, height=0.62)
    kind = "money" if money else "quantity"
    for y, value in enumerate(values):
        direct_label(ax, value, y, format_value(value, kind, lang, currency=currency))
    ax.margins(x=0.14)
    ax.set_xticks([])
    _name_rows(ax, labels)
    subtitle(ax, _words("figure.stock_money" if money else "figure.stock_units", lang))
    return ax


def plot_alerts(frame: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Return bars of the number of items by kind of alert, most urgent on top."""
    kinds = list(dict.fromkeys(frame["alert"])) if len(frame) else []
    ax = ax or new_axes(height=_bars_height(len(kinds)), grid="x")
    if not kinds:
        return empty_note(ax, _words("figure.none", lang))
    counts = [int((frame["alert"] == kind).sum()) for kind in kinds]
    urgent = ("stocked_out", "will_stock_out")
    ax.barh(range(len(kinds)), counts, color=[WORSE if kind in urgent else LAST_YEAR for kind in kinds], height=0.62)
    for y, count in enumerate(counts):
        direct_label(ax, count, y, str(count))
    ax.margins(x=0.1)
    ax.set_xticks([])
    _name_rows(ax, [_words(f"alert.{kind}", lang) for kind in kinds])
    subtitle(ax, _words("figure.alerts", lang))
    return ax


def plot_projection(frame: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes | list[Axes]:
    """Return small multiples of the projected stock of each item with its band, without and with the proposed order."""
    items = frame[["customer_id", "product_id"]].drop_duplicates().to_dict("records") if len(frame) else []
    if not items:
        return empty_note(ax or new_axes(), _words("figure.none", lang))
    columns = min(3, len(items))
    panels = [ax] if ax is not None else new_grid(-(-len(items) // columns), columns, height=2.3 * -(-len(items) // columns))
    for panel, item in zip(panels, items, strict=False):
        rows = frame[(frame["customer_id"] == item["customer_id"]) & (frame["product_id"] == item["product_id"])]
        _draw_projection(panel, rows, lang=lang)
    for panel in panels[len(items) :]:
        panel.set_axis_off()
    return panels


def _draw_projection(panel: Axes, rows: pd.DataFrame, *, lang: Language) -> None:
    dates = rows["date"].to_numpy()
    low, high = (rows[name].to_numpy(dtype="float64") for name in ("stock_low", "stock_high"))
    panel.fill_between(dates, low, np.maximum(high, low), color=PALE, linewidth=0)
    panel.plot(dates, rows["stock"], color=ACTUAL)
    panel.plot(dates, rows["stock_with_order"], color=BETTER, linestyle="--")
    panel.set_ylim(bottom=0)
    panel.tick_params(axis="x", labelrotation=30, labelsize=8)
    panel.xaxis.set_major_locator(_month_locator())
    panel.xaxis.set_major_formatter(_month_formatter())
    first = rows.iloc[0]
    panel.set_title(
        _words("figure.projection", lang, product=str(first["product_name"]), customer=str(first["customer_name"])), loc="left"
    )
    panel.title.set_fontsize(8.5)


def _month_locator():  # type: ignore[no-untyped-def]
    from matplotlib.dates import AutoDateLocator

    return AutoDateLocator(minticks=2, maxticks=4)


def _month_formatter():  # type: ignore[no-untyped-def]
    from matplotlib.dates import DateFormatter

    return DateFormatter("%m-%d")


def plot_service_curve(frame: pd.DataFrame, *, lang: Language = "en", currency: str = "", ax: Axes | None = None) -> Axes:
    """Return stock against shelf fill over targets, with the plan and today's point."""
    ax = ax or new_axes(height=3.4)
    if frame.empty:
        return empty_note(ax, _words("figure.none", lang))
    money = bool(frame["stock_value"].notna().all())
    column, kind = ("stock_value", "money") if money else ("stock_units", "quantity")
    curve = frame[frame["point"] == "curve"]
    ax.plot(curve[column], curve["promised"] * 100, color=ACTUAL, marker="o", markersize=3.5)
    for point, colour, dy in (("plan", BETTER, -8), ("today", WORSE, -8)):
        for row in frame[frame["point"] == point].to_dict("records"):
            if pd.notna(row["promised"]):
                ax.plot([row[column]], [row["promised"] * 100], marker="D", color=colour, markersize=8, linestyle="none")
                words = f"{_words(f'point.{point}', lang)} {format_value(row[column], kind, lang, currency=currency)}"
                direct_label(ax, row[column], row["promised"] * 100, words, color=colour, dx=8, dy=dy)
    ax.xaxis.set_major_formatter(lambda value, _: format_value(value, kind, lang, currency=currency))
    ax.margins(x=0.12, y=0.12)
    subtitle(ax, _words("figure.curve", lang))
    return ax


def plot_targets(frame: pd.DataFrame, *, lang: Language = "en", currency: str = "", ax: Axes | None = None) -> Axes:
    """Return stock against shelf fill of each way to set targets; those chosen together in colour."""
    ax = ax or new_axes(height=3.0)
    money = len(frame) > 0 and bool(frame["stock_value"].notna().any())
    column, kind = ("stock_value", "money") if money else ("stock_units", "quantity")
    if frame.empty or not frame[column].notna().any():
        return empty_note(ax, _words("figure.none", lang))
    for row in frame.to_dict("records"):
        chosen = str(row["way"]).startswith("optimised")
        colour = BETTER if chosen else ACTUAL
        ax.plot(
            [row[column]], [row["promised"] * 100], marker="D" if chosen else "o", color=colour, markersize=8, linestyle="none"
        )
        words = _words(f"way.{row['way']}", lang)
        direct_label(ax, row[column], row["promised"] * 100, words, color=colour, dx=8, dy=8 if chosen else -8)
    ax.xaxis.set_major_formatter(lambda value, _: format_value(value, kind, lang, currency=currency))
    ax.margins(x=0.35, y=0.35)
    subtitle(ax, _words("figure.curve", lang))
    return ax


def plot_class_grid(frame: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Return the three by three grid of items by ABC and XYZ class, darker where more of the demand lies."""
    ax = ax or new_axes("half", height=2.8, grid="")
    if frame.empty:
        return empty_note(ax, _words("figure.none", lang))
    cells = frame.set_index(["abc", "xyz"])
    share = np.array([[float(cells["demand_share"].get((a, x), 0.0) or 0.0) for x in "XYZ"] for a in "ABC"])
    ax.imshow(np.nan_to_num(share), cmap="Blues", vmin=0, vmax=1.2, aspect="auto")
    for row, a in enumerate("ABC"):
        for column, x in enumerate("XYZ"):
            count = cells["items"].get((a, x), 0)
            label = f"{int(count)}\n{format_value(share[row, column], 'rate', lang)}"
            ax.text(column, row, label, ha="center", va="center", color="white" if share[row, column] > 0.6 else ACTUAL)
    ax.set_xticks(range(3), list("XYZ"))
    ax.set_yticks(range(3), list("ABC"))
    ax.spines[:].set_visible(False)
    subtitle(ax, _words("figure.grid", lang))
    return ax


def plot_promised(frame: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Return dots of the promise and lines of the simulated interval, by class."""
    ax = ax or new_axes(height=_bars_height(len(frame)) + 0.4, grid="x")
    if frame.empty:
        return empty_note(ax, _words("figure.none", lang))
    place = np.arange(len(frame))
    ax.hlines(place, frame["simulated_low"] * 100, frame["simulated_high"] * 100, color=LAST_YEAR, linewidth=6)
    ax.plot(frame["simulated"] * 100, place, "|", color=ACTUAL, markersize=14, markeredgewidth=2)
    ax.plot(frame["promised"] * 100, place, "o", color=BETTER, markersize=8)
    last = frame.iloc[-1]
    direct_label(ax, last["promised"] * 100, len(frame) - 1, text("column.promised", lang), color=BETTER, dx=0, dy=8)
    direct_label(ax, last["simulated"] * 100, len(frame) - 1, text("column.simulated", lang), dx=0, dy=-9)
    ax.set_ylim(-0.6, len(frame) - 0.4)
    _name_rows(ax, [_words(f"class.{name}", lang) for name in frame["abc"]])
    subtitle(ax, _words("figure.promised", lang))
    return ax


def plot_safety_stock(frame: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Return stacked bars of the shares of variance by source and class, the sources named at the bar of all items."""
    ax = ax or new_axes(height=_bars_height(len(frame)) + 0.5, grid="x")
    if frame.empty:
        return empty_note(ax, _words("figure.none", lang))
    place = np.arange(len(frame))
    start = np.zeros(len(frame))
    parts = ("demand_noise_share", "bias_share", "lead_time_share", "parameter_share", "rounding_share")
    for number, (part, colour) in enumerate(zip(parts, (LAST_YEAR, WORSE, BETTER, ACTUAL, PALE), strict=True)):
        size = frame[part].fillna(0).to_numpy(dtype="float64") * 100
        ax.barh(place, size, left=start, color=colour, height=0.62)
        name = f"■ {text(f'column.{part}', lang)}"
        direct_label(ax, 21 * number, -0.5, name, color=GREY if colour in (LAST_YEAR, PALE) else colour, dx=1, dy=4)
        start = start + size
    ax.set_xlim(0, 105)
    ax.set_xticks([0, 25, 50, 75, 100])
    _name_rows(ax, [_words(f"class.{name}", lang) for name in frame["abc"]])
    ax.set_ylim(len(frame) - 0.4, -1.0)
    subtitle(ax, _words("figure.shares", lang))
    return ax


def plot_allocation(frame: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Return bars of need with what is allocated inside, for the customers and products that are short most."""
    ax = ax or new_axes(height=_bars_height(len(frame)), grid="x")
    if frame.empty:
        return empty_note(ax, _words("allocation.title_good", lang))
    rows = frame.sort_values(["short", "product_id", "customer_id"], ascending=[False, True, True], kind="stable").head(
        _MOST_ROWS
    )
    place = np.arange(len(rows))
    ax.barh(place, rows["need"], color=PALE, edgecolor=GREY, height=0.62)
    ax.barh(place, rows["allocated"], color=BETTER, height=0.62)
    for y, row in enumerate(rows.to_dict("records")):
        shown = f"{format_value(row['allocated'], 'quantity', lang)} / {format_value(row['need'], 'quantity', lang)}"
        direct_label(ax, row["need"], y, shown)
    ax.margins(x=0.16)
    _name_rows(ax, (rows["product_name"].astype(str) + ", " + rows["customer_name"].astype(str)).tolist())
    subtitle(ax, _words("figure.allocation", lang))
    return ax


def plot_pooling(frame: pd.DataFrame, *, lang: Language = "en", ax: Axes | None = None) -> Axes:
    """Return lines from the uncorrelated to the separate safety stock of each product with a dot where it is pooled."""
    ax = ax or new_axes(height=_bars_height(len(frame)), grid="x")
    if frame.empty:
        return empty_note(ax, _words("figure.none", lang))
    rows = frame.head(_MOST_ROWS)
    place = np.arange(len(rows))
    apart, pooled, free = (rows[f"safety_{name}"].to_numpy(dtype="float64") for name in ("apart", "pooled", "uncorrelated"))
    ax.hlines(place, free, apart, color=LAST_YEAR, linewidth=5)
    for ends in (free, apart):
        ax.vlines(ends, place - 0.25, place + 0.25, color=GREY, linewidth=2)
    pays = (rows["reason"] == "saves_more").to_numpy()
    ax.scatter(pooled, place, color=[BETTER if good else ACTUAL for good in pays], s=60, zorder=3)
    for y, row in enumerate(rows.to_dict("records")):
        shown = {name: format_value(row[f"safety_{name}"], "quantity", lang) for name in ("pooled", "apart")}
        words = _words("pooling_label_pays" if pays[y] else "pooling_label", lang, **shown)
        direct_label(ax, max(row["safety_apart"], row["safety_pooled"]), y, words, color=BETTER if pays[y] else ACTUAL, dx=9)
    ax.set_xlim(0, max(float(np.max(np.maximum(apart, pooled))), 1.0) * 1.75)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    several = len(set(rows["account_id"])) > 1
    names = rows["product_name"].astype(str)
    _name_rows(ax, (names + ", " + rows["account_id"].astype(str) if several else names).tolist())
    subtitle(ax, _words("figure.pooling", lang))
    return ax


def plot_lead_times(
    frame: pd.DataFrame, *, suppliers: pd.DataFrame | None = None, lang: Language = "en", ax: Axes | None = None
) -> Axes:
    """Return bars from the mean to the 95 % lead time of each customer, else of each supplier, slowest on top."""
    frame = suppliers if frame.empty and suppliers is not None and len(suppliers) else frame
    ax = ax or new_axes(height=_bars_height(len(frame)), grid="x")
    known = frame[frame["p95_days"].notna()] if len(frame) else frame
    if known.empty:
        return empty_note(ax, _words("figure.none", lang))
    name = "supplier_name" if "supplier_name" in known else "customer_name"
    rows = known.sort_values(["p95_days", name], ascending=[False, True], kind="stable").head(_MOST_ROWS)
    place = np.arange(len(rows))
    mean, slow = rows["mean_days"].to_numpy(dtype="float64"), rows["p95_days"].to_numpy(dtype="float64")
    ax.hlines(place, mean, slow, color=LAST_YEAR, linewidth=7)
    ax.plot(mean, place, "o", color=ACTUAL, markersize=6)
    for y, (first, last) in enumerate(zip(mean, slow, strict=True)):
        shown = {"mean": format_value(first, "days", lang), "p95": format_value(last, "days", lang)}
        direct_label(ax, max(first, last), y, _words("lead_label", lang, **shown))
    ax.set_xlim(0, float(np.nanmax(np.maximum(mean, slow))) * 1.22)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    _name_rows(ax, rows[name].astype(str).tolist())
    subtitle(ax, _words("figure.lead_time", lang))
    return ax


def plot_sensitivity(frame: pd.DataFrame, *, lang: Language = "en", currency: str = "", ax: Axes | None = None) -> Axes:
    """Return bars of the model stock in each case."""
    ax = ax or new_axes(height=_bars_height(len(frame)), grid="x")
    if frame.empty:
        return empty_note(ax, _words("figure.none", lang))
    money = bool(frame["stock_value"].notna().all())
    column, kind = ("stock_value", "money") if money else ("stock_units", "quantity")
    colours = [ACTUAL if change == "plan" else LAST_YEAR for change in frame["change"]]
    ax.barh(range(len(frame)), frame[column], color=colours, height=0.62)
    for y, row in enumerate(frame.to_dict("records")):
        shown = f"{format_value(row[column], kind, lang, currency=currency)}, {format_value(row['promised'], 'rate', lang)}"
        direct_label(ax, row[column], y, shown)
    ax.margins(x=0.2)
    ax.set_xticks([])
    _name_rows(ax, [_words(f"change.{change}", lang) for change in frame["change"]])
    subtitle(ax, _words("figure.sensitivity", lang))
    return ax
