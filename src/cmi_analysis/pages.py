"""What a report page is made of: frozen shapes that `messages` fill and `displays` draw; they compute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cmi_analysis.labels import Language

Status = Literal["good", "warn", "bad", "none"]
Direction = Literal["higher", "lower", "band"]


@dataclass(frozen=True)
class Card:
    """One KPI card of the first screen.

    Attributes
    ----------
    key : str
        Id of the KPI, e.g. ``order_fill``; the display name is the text ``kpi.<key>.name``, the formula ``kpi.<key>.formula``.
    value : float or None
        The number; None is shown as a dash with `note` as the reason.
    kind : str
        Kind for `labels.format_value`.
    n : int or None
        Number of cases behind the value; below the KPI's minimum `status` is "none" and the card is grey.
    last_year, target : float or None
        The same KPI a year before, and its target, in the unit of `value`.
    change_kind : str
        Kind for the change, usually ``points`` for rates, ``signed_quantity`` or ``signed_money`` otherwise.
    spark : tuple of (str, float or None)
        Up to 13 (month label, value) pairs, oldest first.
    note : str
        Settings that change the number, or why there is none, in the page's language.
    label : str
        Display name with its lag or window, where the same KPI stands elsewhere with other settings; empty: the KPI's name.
    numerator, denominator : float or None
        What the value is the ratio of, so that totals over groups are ratios of sums; a total has a numerator only.
    """

    key: str
    value: float | None
    kind: str
    n: int | None = None
    last_year: float | None = None
    target: float | None = None
    change_kind: str = "points"
    direction: Direction = "higher"
    status: Status = "none"
    spark: tuple[tuple[str, float | None], ...] = ()
    note: str = ""
    numerator: float | None = None
    denominator: float | None = None
    label: str = ""


@dataclass(frozen=True)
class Finding:
    """One sentence of the first screen, linked to the section that shows it."""

    text: str
    section: str


@dataclass(frozen=True)
class Action:
    """One thing to do next.

    Attributes
    ----------
    text : str
        What to do, a sentence that can be acted on.
    who : str
        Who decides.
    due_on : str
        ISO date, empty where there is none.
    effect : float or None
        Our expected profit effect over the next protection interval [money], or None where no money is known.
    cash_ours, cash_customer : float or None
        One-off cash, ours and the customer's, never added.
    otherwise : str
        What happens if nothing is done.
    """

    text: str
    who: str = ""
    due_on: str = ""
    effect: float | None = None
    cash_ours: float | None = None
    cash_customer: float | None = None
    otherwise: str = ""


@dataclass(frozen=True)
class Section:
    """The words of one section: a message as title, how to read it, what follows from it.

    Attributes
    ----------
    key : str
        Key within the notebook, e.g. ``value``; the H2 question is the text ``<notebook>.<key>.question``.
    title : str
        The message: verdict, number, driver. Chart title and table caption hang below it.
    so_what : str
        One sentence on what to do about it; may be empty.
    alt : str
        Alternative text of the chart: what it shows, with its numbers.
    missing : str
        Where the data for the section do not exist: the sentence that says so; no chart and no table is drawn then.
    chart, rows : bool
        False: there is nothing to draw, or nothing to list, and the title says all.
    """

    key: str
    title: str = ""
    so_what: str = ""
    alt: str = ""
    missing: str = ""
    chart: bool = True
    rows: bool = True


@dataclass(frozen=True)
class Strip:
    """Data strip: rows in, rows set aside, coverage, newest date."""

    rows_in: int
    rows_set_aside: int
    newest_on: str
    coverage: str = ""


@dataclass(frozen=True)
class Page:
    """Everything a report says in words and single numbers.

    Attributes
    ----------
    notebook, group, period, as_of, run_id : str
        Who, which period, known until when, and the first 12 hex digits of the report's content key.
    status : {"good", "warn", "bad", "none"}
        The verdict of the headline; orders the index, worst first.
    badness : float
        Sort key of the index and the management summary: larger is worse.
    sections : mapping of str to Section
        In the order of the notebook.
    """

    notebook: str
    group: str
    lang: Language
    audience: str
    period: str
    as_of: str
    run_id: str
    headline: str
    findings: tuple[Finding, ...]
    cards: tuple[Card, ...]
    actions: tuple[Action, ...]
    strip: Strip
    sections: Mapping[str, Section]
    tie_out: str = ""
    currency: str = ""
    status: Status = "none"
    badness: float = 0.0
    params: Mapping[str, Any] = field(default_factory=dict)
    data_notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> Section:
        return self.sections[key]
