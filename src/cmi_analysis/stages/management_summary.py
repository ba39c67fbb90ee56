"""Management summary: all groups beside one another, from what their reports say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cmi_analysis.params.models import ManagementSummaryParams
from cmi_analysis.performance.registry import KPIS
from cmi_analysis.performance.summary import choose_disjoint_groups, compare_runs, rank_actions, score_groups, sum_cards
from cmi_analysis.performance.targets import judge_value
from cmi_analysis.tables import Slice

MAIN_NOTEBOOK = "performance_review"
MAIN_KPIS = ("order_fill", "otif", "dio", "excess_value", "wape", "stockout_value", "stockout_days")
_COLUMNS = {
    "groups": ("group", "title", "notebook", "as_of", "key", "status", "badness", "headline", "period", "currency"),
    "cards": (
        "group", "notebook", "key", "value", "kind", "n", "last_year", "target", "direction", "status",
        "numerator", "denominator", "note", "spark",
    ),
    "actions": ("group", "notebook", "text", "who", "due_on", "effect", "cash_ours", "cash_customer", "otherwise"),
    "runs": ("group", "notebook", "state", "cause", "as_of"),
}  # fmt: skip
_NUMBERS = ("value", "n", "last_year", "target", "numerator", "denominator", "effect", "cash_ours", "cash_customer", "badness")


@dataclass(frozen=True)
class SummaryResult:
    """What the management summary shows; every frame sorted by its key or worst first.

    Attributes
    ----------
    ranking : DataFrame
        group, title, status, score, misses, rated, notebook, headline, reports, as_of: worst first.
    group_kpis : DataFrame
        group, title, key, kind, direction, value, target, last_year, status, n: the main KPIs of each group.
    totals : DataFrame
        key, kind, direction, value, numerator, denominator, n, target, groups, status: over all groups, each customer once.
    actions : DataFrame
        group, title, text, who, due_on, effect, cash_ours, cash_customer, otherwise: the first ones over all groups.
    changes : DataFrame
        group, title, notebook, key, kind, before, value, change, verdict.
    runs : DataFrame
        group, title, notebook, state, cause, as_of: failed ones first.
    left_out : tuple of str
        Groups that share customers with another one and are not in the totals.
    currency : str
        The groups' one currency; empty where they have several, and then money is neither added nor ranked across groups.
    missing : mapping of str to str
        Section key to the text key of its sentence.
    """

    ranking: pd.DataFrame
    group_kpis: pd.DataFrame
    totals: pd.DataFrame
    actions: pd.DataFrame
    changes: pd.DataFrame
    runs: pd.DataFrame
    left_out: tuple[str, ...]
    currency: str
    missing: Mapping[str, str]


def summarise(part: Slice, params: ManagementSummaryParams) -> SummaryResult:
    """Return the management summary over the published reports.

    Parameters
    ----------
    part : Slice
        Its book holds the frames groups, cards, actions, runs and, optional, previous_cards and members (group, customer_id).
    params : ManagementSummaryParams
        How many actions are shown.
    """
    groups, cards, actions, runs = (_frame(part, name) for name in _COLUMNS)
    titles = groups.drop_duplicates("group").set_index("group")["title"]
    currencies = sorted({str(name) for name in groups["currency"].dropna() if name})
    main = cards[(cards["notebook"] == MAIN_NOTEBOOK) & cards["key"].isin(MAIN_KPIS)]
    members = part.book.get("members")
    everyone = sorted(groups["group"].unique())
    chosen = choose_disjoint_groups(everyone, members)
    added = main[main["group"].isin(chosen)]
    if len(currencies) > 1:
        added = added[added["kind"] != "money"]
    changes = compare_runs(cards, part.book.get("previous_cards", cards.iloc[:0]))
    ranking = score_groups(groups, cards)
    top = rank_actions(actions, most=params.top_actions, groups=ranking["group"].tolist())
    return SummaryResult(
        ranking=ranking,
        group_kpis=_group_kpis(main, ranking),
        totals=_judged(sum_cards(added)),
        actions=_titled(top, titles),
        changes=_titled(changes, titles),
        runs=_titled(_sorted_runs(runs), titles),
        left_out=tuple(str(titles.get(name, name)) for name in everyone if name not in chosen),
        currency=currencies[0] if len(currencies) == 1 else "",
        missing=_missing(groups, main, actions, changes, runs),
    )


def _frame(part: Slice, name: str) -> pd.DataFrame:
    found = part.book.get(name)
    columns = list(_COLUMNS[name])
    frame = pd.DataFrame(columns=columns) if found is None else found.reindex(columns=columns)
    return frame.assign(**{column: pd.to_numeric(frame[column]).astype(float) for column in columns if column in _NUMBERS})


def _judged(totals: pd.DataFrame) -> pd.DataFrame:
    status = [
        judge_value(r.value, r.target, direction=r.direction, kind=r.kind, n=r.n, minimum_n=KPIS[r.key].minimum_n)
        if r.key in KPIS
        else "none"
        for r in totals.itertuples()
    ]
    return totals.assign(status=pd.Series(status, index=totals.index, dtype=object))


def _titled(frame: pd.DataFrame, titles: pd.Series) -> pd.DataFrame:
    return frame.assign(title=frame["group"].map(titles).fillna(frame["group"])).reset_index(drop=True)


def _group_kpis(main: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    columns = ["group", "title", "key", "kind", "direction", "value", "target", "last_year", "status", "n"]
    place = {kpi: number for number, kpi in enumerate(MAIN_KPIS)}
    order = {group: number for number, group in enumerate(ranking["group"])}
    rows = _titled(main, ranking.set_index("group")["title"])
    rows = rows.assign(place=rows["key"].map(place), order=rows["group"].map(order))
    return rows.sort_values(["place", "order"], kind="stable")[columns].reset_index(drop=True)


def _sorted_runs(runs: pd.DataFrame) -> pd.DataFrame:
    order = runs["state"].map({"failed": 0, "new": 1, "unchanged": 2}).fillna(3)
    return runs.assign(order=order).sort_values(["order", "group", "notebook"], kind="stable").drop(columns="order")


def _missing(
    groups: pd.DataFrame, main: pd.DataFrame, actions: pd.DataFrame, changes: pd.DataFrame, runs: pd.DataFrame
) -> dict[str, str]:
    empty = {"ranking": groups.empty, "kpis": main["value"].isna().all(), "actions": actions.empty, "changes": changes.empty,
             "health": runs.empty}  # fmt: skip
    return {section: f"management_summary.missing.{section}" for section, nothing in empty.items() if nothing}
