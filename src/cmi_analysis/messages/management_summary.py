"""The management summary in words: which group first, what first, did everything run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cmi_analysis.labels import Language, format_value, text
from cmi_analysis.pages import Action, Card, Finding, Page, Section, Strip

if TYPE_CHECKING:
    from cmi_analysis.params.models import ManagementSummaryParams
    from cmi_analysis.tables import Slice

KEYS = ("ranking", "kpis", "actions", "changes", "health", "data")
_CARDS = (
    ("order_fill", "rate", "higher"),
    ("otif", "rate", "higher"),
    ("dio", "days", "band"),
    ("excess_value", "money", "lower"),
    ("wape", "rate", "lower"),
)
_RISK = (("stockout_value", "money", "lower"), ("stockout_days", "days", "lower"))


def tell_management_summary(result: Any, part: Slice, params: ManagementSummaryParams) -> Page:
    """Return the page of the management summary.

    Parameters
    ----------
    result : SummaryResult
        What the stage found.
    part : Slice
        Its date and strip.
    params : ManagementSummaryParams
        Language.
    """
    lang = params.lang
    headline, status = _headline(result, lang)
    return Page(
        notebook="management_summary",
        group=_say("all_groups", lang),
        lang=lang,
        audience=params.audience,
        period="",
        as_of=part.as_of.isoformat(),
        run_id="",
        headline=headline,
        findings=_findings(result, lang),
        cards=_cards(result, lang),
        actions=_actions(result, lang),
        strip=Strip(part.rows_in, part.rows_set_aside, _newest(result, part)),
        sections={key: _section(key, result, lang) for key in KEYS},
        currency=result.currency,
        status=status,
        badness=float(result.ranking["score"].max()) if result.ranking["score"].notna().any() else 0.0,
        data_notes=_notes(result, lang),
        assumptions=part.tables.settings.said(lang),
    )


def _say(key: str, lang: Language, **fields: Any) -> str:
    return text(f"management_summary.{key}", lang, **fields)


def _count(value: Any, lang: Language) -> str:
    return format_value(value, "count", lang)


def _percent(score: Any, lang: Language) -> str:
    return format_value(float(score) / 100, "rate", lang)


def _newest(result: Any, part: Slice) -> str:
    days = result.ranking["as_of"].dropna().astype(str)
    return max(days) if len(days) else part.as_of.isoformat()


def _headline(result: Any, lang: Language) -> tuple[str, Any]:
    ranking = result.ranking
    rated = ranking[ranking["score"].notna()]
    if ranking.empty:
        return _say("headline.nothing", lang), "none"
    alarm = ranking[ranking["status"] == "bad"]
    fields = {"groups": _count(len(ranking), lang), "bad": _count(len(alarm), lang), "rated": _count(len(rated), lang)}
    missing = int((rated["misses"] > 0).sum())
    if not missing and len(alarm):
        key = "headline.unrated_bad" if rated.empty else "headline.met_bad"
        return _say(key, lang, title=alarm.iloc[0]["title"], **fields), "bad"
    if rated.empty:
        return _say("headline.unrated", lang, groups=fields["groups"]), "none"
    if not missing:
        return _say("headline.met", lang, rated=fields["rated"]), "good"
    worst = rated.iloc[0]
    fields = {"title": worst["title"], "score": _percent(worst["score"], lang)}
    counts = {"missing": _count(missing, lang), "rated": _count(len(rated), lang)}
    return _say("headline.missed", lang, **fields, **counts), worst["status"]


def _findings(result: Any, lang: Language) -> tuple[Finding, ...]:
    found = []
    if len(result.ranking):
        worst = result.ranking.iloc[0]
        found.append(Finding(_say("finding.group", lang, title=worst["title"], headline=worst["headline"]), "ranking"))
    if len(result.actions):
        first = result.actions.iloc[0]
        fields = {"text": str(first["text"]).rstrip(".。"), "title": first["title"]}
        if pd.notna(first["effect"]):
            effect = format_value(first["effect"], "signed_money", lang, currency=result.currency)
            found.append(Finding(_say("finding.action", lang, effect=effect, **fields), "actions"))
        else:
            found.append(Finding(_say("finding.cash", lang, **fields), "actions"))
    failed = int((result.runs["state"] == "failed").sum())
    counts = {"failed": _count(failed, lang), "runs": _count(len(result.runs), lang)}
    key = "finding.no_runs" if result.runs.empty else "finding.failed" if failed else "finding.ran"
    found.append(Finding(_say(key, lang, **counts), "health"))
    return tuple(found)


def _cards(result: Any, lang: Language) -> tuple[Card, ...]:
    totals = result.totals.set_index("key") if len(result.totals) else result.totals
    risk = next((card for card in _RISK if card[0] in totals.index), _RISK[1])
    return tuple(_card(totals, *shape, lang) for shape in (*_CARDS, risk))


def _card(totals: pd.DataFrame, key: str, kind: str, direction: Any, lang: Language) -> Card:
    if key not in totals.index:
        return Card(key, None, kind, direction=direction, note=_say("card.none", lang))
    row = totals.loc[key]
    value = float(row["value"])
    target: float | None = None if pd.isna(row["target"]) else float(row["target"])
    return Card(
        key=key,
        value=value,
        kind=row["kind"],
        n=int(row["n"]) if row["n"] > 0 else None,
        target=target,
        direction=direction,
        status=row["status"],
        note=_say("card.wape" if key == "wape" else "card.groups", lang, groups=_count(row["groups"], lang)),
        numerator=float(row["numerator"]),
        denominator=None if pd.isna(row["denominator"]) else float(row["denominator"]),
    )


def _actions(result: Any, lang: Language) -> tuple[Action, ...]:
    def number(value: Any) -> float | None:
        return None if pd.isna(value) else float(value)

    return tuple(
        Action(
            _say("finding.group", lang, title=row["title"], headline=row["text"]),
            row["who"] or "",
            row["due_on"] or "",
            number(row["effect"]),
            number(row["cash_ours"]),
            number(row["cash_customer"]),
            row["otherwise"] or "",
        )
        for row in result.actions.head(5).fillna({"who": "", "due_on": "", "otherwise": ""}).to_dict("records")
    )


def _section(key: str, result: Any, lang: Language) -> Section:
    if key in result.missing:
        return Section(key, missing=text(result.missing[key], lang))
    tell = {
        "ranking": _ranking,
        "kpis": _kpis,
        "actions": _actions_section,
        "changes": _changes,
        "health": _health,
        "data": _data,
    }
    return tell[key](result, lang)


def _ranking(result: Any, lang: Language) -> Section:
    ranking = result.ranking
    rated = ranking[ranking["score"].notna()]
    counts = {
        "missing": _count((rated["misses"] > 0).sum(), lang),
        "rated": _count(len(rated), lang),
        "unrated": _count(len(ranking) - len(rated), lang),
    }
    if rated.empty:
        title = _say("ranking.title_unrated", lang, first=ranking.iloc[0]["title"], groups=counts["unrated"])
    else:
        title = _say("ranking.title", lang, first=ranking.iloc[0]["title"], **counts)
    unrated = _say("chart.unrated", lang)
    shown = [f"{r.title} {unrated if pd.isna(r.score) else _percent(r.score, lang)}" for r in ranking.head(20).itertuples()]
    return Section("ranking", title=title, so_what=_say("ranking.so_what", lang), alt=_say("join", lang).join(shown))


def _kpis(result: Any, lang: Language) -> Section:
    """Name the range of the first KPI that has a total and a better direction."""
    kpis = result.group_kpis.dropna(subset=["value"])
    so_what = _say("kpis.so_what", lang)
    told = [key for key in result.totals["key"] if (kpis.loc[kpis["key"] == key, "direction"] != "band").any()]
    order = [key for key, *_ in _CARDS if key in told]
    labels = [
        f"{text(f'kpi.{r.key}.name', lang)} {r.title} {_shown(r.value, r.kind, lang, result)}" for r in kpis.head(24).itertuples()
    ]
    if not order:
        groups = _count(kpis["group"].nunique(), lang)
        return Section(
            "kpis", title=_say("kpis.plain", lang, groups=groups), so_what=so_what, alt=_say("join", lang).join(labels)
        )
    key = "otif" if "otif" in order else order[0]
    rows = kpis[kpis["key"] == key].sort_values(["value", "group"], kind="stable")
    low, high = rows.iloc[0], rows.iloc[-1]
    worst, best = (low, high) if low["direction"] == "higher" else (high, low)
    total = result.totals.set_index("key").loc[key]
    title = _say(
        "kpis.title",
        lang,
        name=text(f"kpi.{key}.name", lang),
        value=_shown(total["value"], total["kind"], lang, result),
        worst=_shown(worst["value"], worst["kind"], lang, result),
        worst_group=worst["title"],
        best=_shown(best["value"], best["kind"], lang, result),
        best_group=best["title"],
    )
    return Section("kpis", title=title, so_what=so_what, alt=_say("join", lang).join(labels))


def _shown(value: Any, kind: str, lang: Language, result: Any) -> str:
    return format_value(value, kind, lang, currency=result.currency)


def _actions_section(result: Any, lang: Language) -> Section:
    known = _count(result.actions["effect"].notna().sum(), lang)
    title = _say("actions.title", lang, count=_count(len(result.actions), lang), known=known)
    mixed = not result.currency and result.actions[["effect", "cash_ours", "cash_customer"]].notna().any().any()
    return Section("actions", title=title, so_what=_say("actions.mixed", lang) if mixed else "")


def _changes(result: Any, lang: Language) -> Section:
    changes = result.changes
    judged = changes[changes["verdict"].isin(["good", "bad"])]
    first = (judged if len(judged) else changes).iloc[0]
    title = _say(
        "changes.title",
        lang,
        count=_count(len(changes), lang),
        better=_count((changes["verdict"] == "good").sum(), lang),
        worse=_count((changes["verdict"] == "bad").sum(), lang),
        name=text(f"kpi.{first['key']}.name", lang),
        title=first["title"],
        before=_shown(first["before"], first["kind"], lang, result),
        value=_shown(first["value"], first["kind"], lang, result),
    )
    return Section("changes", title=title)


def _health(result: Any, lang: Language) -> Section:
    runs = result.runs
    failed = runs[runs["state"] == "failed"]
    if len(failed):
        first = failed.iloc[0]
        fields = {"title": first["title"], "notebook": _say(f"notebook.{first['notebook']}", lang)}
        counts = {"failed": _count(len(failed), lang), "runs": _count(len(runs), lang)}
        return Section("health", title=_say("health.failed", lang, **counts, **fields))
    return Section("health", title=_say("health.ran", lang, runs=_count(len(runs), lang)))


def _data(result: Any, lang: Language) -> Section:
    counts = {"reports": _count(result.ranking["reports"].sum(), lang), "groups": _count(len(result.ranking), lang)}
    return Section(
        "data", title=_say("data.summary", lang, **counts), so_what=("" if lang == "zh" else " ").join(_notes(result, lang))
    )


def _notes(result: Any, lang: Language) -> tuple[str, ...]:
    notes = [_say("note.totals", lang), _say("note.sides", lang)]
    if result.left_out:
        notes.append(_say("note.overlap", lang, groups=("、" if lang == "zh" else ", ").join(result.left_out)))
    if not result.currency and (result.group_kpis["kind"] == "money").any():
        notes.append(_say("note.currency", lang))
    return tuple(notes)
