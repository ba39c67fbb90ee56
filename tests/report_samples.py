"""A page and an executed notebook as the four reports make them, with numbers made up for the look of it, in both languages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import nbformat
import numpy as np
import pandas as pd

from cmi_analysis.displays.end import show_end
from cmi_analysis.displays.first_screen import show_first_screen
from cmi_analysis.displays.params_table import show_data, show_params
from cmi_analysis.displays.sections import show_section
from cmi_analysis.displays.table import table
from cmi_analysis.figures.style import ACTUAL, BETTER, FORECAST, GREY, LAST_YEAR, WORSE, direct_label, new_axes, subtitle
from cmi_analysis.labels import Language
from cmi_analysis.pages import Action, Card, Finding, Page, Section, Strip
from cmi_analysis.tables import DataSet, Slice
from cmi_analysis.tables.dataset import Sentence, Settings, no_issues

MONTHS = tuple(f"{2024 + (11 + month) // 12}-{(11 + month) % 12 + 1:02d}" for month in range(13))
EN = {
    "group": "East region",
    "period": "Jan–Dec 2025",
    "headline": "Order fill fell to 91.2%, 3.8 points below contract: two late suppliers explain 70% of the missing units.",
    "f1": "63% of the missing units were not on our shelf; the rest was shipped late from Wuxi.",
    "f2": "CNY 1.2m of stock has no expected use within 90 days; half of it is in four discontinued items.",
    "f3": "The customer's own forecast is 18% too high at the decision's lag; ours halves the error.",
    "note": "date basis: first promised; tolerance 0 days late, 7 early",
    "who": ("Supply planner", "Customer's buyer", "Account manager", "Warehouse lead", "Supply planner"),
    "what": (
        "Order 2,400 bearings 6204-2RS from the second supplier for the order day of 5 January",
        "Cut the January order of item 000873 from 1,200 to 400 pieces: 61 days of cover are on the shelf",
        "Agree a frozen horizon of two weeks for the nine items that are re-planned every week",
        "Ship the open order lines of Suzhou before those of Wuxi on Monday: two run out on Wednesday",
        "Return 310 pieces of three discontinued items before the supplier's deadline",
    ),
    "otherwise": (
        "Three sites run out in the week of 12 January",
        "CNY 84k of stock without use by April",
        "The forecast keeps its bias of 18%",
        "Two stock-outs, about 140 pieces lost",
        "The stock is written off in June",
    ),
    "tie": "Shipped value agrees with the ledger within 0.02% (CNY 41,200 of CNY 206m); open orders agree.",
    "coverage": "24 sites, 182 products, 104 weeks",
    "title": "Order fill lost 3.8 points: late suppliers cost 2.7 of them, short picks 0.6, the rest is mix.",
    "so": "Order the four A items below from the second supplier until week 8; this recovers 1.9 points.",
    "missing": "There is no table 'returns' in the data: returns by reason cannot be shown.",
    "sub": "Order fill by month, %, all sites; contract 95%",
    "actual": "this year",
    "last": "last year",
    "question": "Where did service go?",
    "how": "Each line is a month; the stroke is the contract.",
    "question2": "Who returned what, and why?",
    "question3": "Data and limits",
    "h1": "Performance review",
    "intro": "For the head of supply.\n\n1. Did we keep the contract?\n2. What cost service?\n3. What to do?",
    "site": "Site",
    "comment": "Cause",
    "caption": "Largest gaps by site and product, units, last 12 months",
    "late": "supplier late",
}
ZH = {
    "group": "华东大区",
    "period": "2025年1–12月",
    "headline": "订单满足率降至 91.2%，低于合同 3.8 个百分点：缺口的 70% 由两家供应商延迟造成。",
    "f1": "缺货数量的 63% 是我方库存不足，其余为无锡仓发货延迟。",
    "f2": "¥120万库存在 90 天内没有预期用量，其中一半集中在 4 个停产产品。",
    "f3": "客户自有预测在决策提前期上偏高 18%，采用我方预测可将误差减半。",
    "note": "日期口径：首次承诺日；容差：晚 0 天、早 7 天",
    "who": ("供应计划员", "客户采购", "客户经理", "仓库主管", "供应计划员"),
    "what": (
        "1月5日订货日向第二供应商订购轴承 6204-2RS 共 2,400 件",
        "将物料 000873 的 1 月订单由 1,200 件减至 400 件：现有库存可用 61 天",
        "与客户约定 9 个每周改单物料的两周冻结期",
        "周一先发苏州未交订单，再发无锡：两个物料周三将断货",
        "在供应商截止日前退回 3 个停产物料共 310 件",
    ),
    "otherwise": (
        "1月12日当周 3 个站点断货",
        "到 4 月将有 ¥8.4万呆滞库存",
        "预测偏差持续为 18%",
        "两次断货，约损失 140 件",
        "6 月将报废",
    ),
    "tie": "发货金额与账面一致，差异 0.02%（¥4.1万 / ¥2.06亿）；未交订单一致。",
    "coverage": "24 个站点、182 个产品、104 周",
    "title": "订单满足率下降 3.8 个百分点：供应商延迟占 2.7，拣货短缺占 0.6，其余为结构变化。",
    "so": "下列 4 个 A 类物料在第 8 周前改由第二供应商供货，可恢复 1.9 个百分点。",
    "missing": "数据中没有“退货”表，无法按原因展示退货。",
    "sub": "各月订单满足率，%，全部站点；合同 95%",
    "actual": "今年",
    "last": "去年",
    "question": "服务缺口在哪里？",
    "how": "每个点为一个月，横线为合同水平。",
    "question2": "谁退了什么货，原因是什么？",
    "question3": "数据与局限",
    "h1": "绩效回顾",
    "intro": "读者：供应负责人与客户经理。\n\n1. 是否达到合同？\n2. 服务损失在哪里？\n3. 下一步做什么？",
    "site": "站点",
    "comment": "原因",
    "caption": "按站点与产品的最大缺口，件，近 12 个月",
    "late": "供应商延迟",
}
WORDS: dict[str, dict[str, Any]] = {"en": EN, "zh": ZH}


def _spark(start: float, end: float, seed: int) -> tuple[tuple[str, float | None], ...]:
    wobble = np.random.default_rng(seed).normal(0, abs(end - start) / 4 + 1e-9, 13)
    values = np.linspace(start, end, 13) + wobble
    known = [None if place == 4 else float(value) for place, value in enumerate(values)]
    return tuple(zip(MONTHS, known, strict=True))


def sample_cards(note: str) -> tuple[Card, ...]:
    """Return six cards: good, bad, a band, one without value."""
    return (
        Card("order_fill", 0.912, "rate", 8421, 0.935, 0.95, status="bad", spark=_spark(0.94, 0.912, 1), note=note),
        Card("otif", 0.874, "rate", 8421, 0.861, 0.90, status="warn", spark=_spark(0.86, 0.874, 2), note=note),
        Card("dio", 47.3, "days", 182, 52.1, 45.0, "signed_quantity", "lower", "good", _spark(52, 47.3, 3)),
        Card("excess_value", 1.214e6, "money", 182, 1.105e6, None, "signed_money", "lower", "bad", _spark(1.1e6, 1.2e6, 4)),
        Card("wape", 0.38, "rate", 2184, 0.44, 0.40, "points", "lower", "good", _spark(0.44, 0.38, 5)),
        Card("stockout_value", None, "money", 0, note=note),
    )


def sample_page(lang: Language = "en", *, audience: str = "internal", **changes: Any) -> Page:
    """Return a page as long as real ones are."""
    say = {**WORDS[lang], **changes}
    none = (None, None, None)
    money = ((18_400.0, -96_000.0, None), (None, None, 84_000.0), none, (6_100.0, None, None), (4_000.0, 21_000.0, None))
    actions = tuple(
        Action(what, who, "2026-01-05", *cash, otherwise=otherwise)
        for what, who, cash, otherwise in zip(say["what"], say["who"], money, say["otherwise"], strict=True)
    )
    sections = {
        "gap": Section("gap", say["title"], say["so"], alt=f"{say['sub']}: 94.1% → 91.2%"),
        "table": Section("table", say["title"], say["so"]),
        "returns": Section("returns", missing=say["missing"]),
    }
    return Page(
        notebook="performance_review",
        group=say["group"],
        lang=lang,
        audience=audience,
        period=say["period"],
        as_of="2025-12-28",
        run_id="3f9a2c81d07e",
        headline=say["headline"],
        findings=(Finding(say["f1"], "gap"), Finding(say["f2"], "table"), Finding(say["f3"], "returns")),
        cards=sample_cards(say["note"]),
        actions=actions,
        strip=Strip(184_211, 312, "2025-12-28", say["coverage"]),
        sections=sections,
        tie_out=say["tie"],
        currency="CNY",
        status="bad",
        params={"group": "east", "as_of": "2025-12-28", "lang": lang, "audience": audience, "window_months": 12},
        data_notes=(say["how"],),
        assumptions=(say["missing"],),
    )


def sample_axes(say: dict[str, Any]) -> Any:
    """Return a chart like those of the reports."""
    ax = new_axes(height=3.0)
    months = pd.date_range("2025-01-01", periods=13, freq="MS")
    value = 94 + np.cumsum(np.random.default_rng(7).normal(-0.2, 0.6, 13))
    ax.axhline(95, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    ax.plot(months, value + 1.8, color=LAST_YEAR)
    ax.plot(months, value, color=ACTUAL)
    ax.fill_between(months[-4:], value[-4:] - 1, value[-4:] + 1, color=FORECAST, alpha=0.18, linewidth=0)
    ax.plot(months[[0]], value[[0]], "o", color=BETTER)
    ax.plot(months[[-1]], value[[-1]], "o", color=WORSE)
    direct_label(ax, months[-1], value[-1], f"{say['actual']} {say['group']}")
    direct_label(ax, months[-1], value[-1] + 1.8, say["last"], color=GREY)
    subtitle(ax, say["sub"])
    return ax


def sample_frame(say: dict[str, Any], rows: int = 22) -> pd.DataFrame:
    """Return a frame with text, numbers, dates, gaps and states."""
    numbers = np.arange(rows)
    return pd.DataFrame(
        {
            "site": [f"{say['group']} {number % 7 + 1:02d}" for number in numbers],
            "product": [f"{number * 7919 % 999999:06d}" for number in numbers],
            "on_hand": np.where(numbers % 9 == 4, np.nan, 12_400.0 / (numbers + 1)),
            "gap": -0.12 / (numbers + 1),
            "since": pd.Timestamp("2025-11-03") + pd.to_timedelta(numbers, unit="D"),
            "cause": [say["late"]] * rows,
            "state": np.where(numbers % 4 == 0, "bad", np.where(numbers % 4 == 1, "good", "")),
        }
    )


def sample_table(say: dict[str, Any], lang: Language) -> Any:
    """Return a table with headers, caption and names from `say`."""
    headers = {"site": say["site"], "product": "SKU", "gap": "Δ", "since": "≥", "cause": say["comment"]}
    kinds = {"on_hand": "quantity", "gap": "points", "since": "date"}
    columns = ["site", "product", "on_hand", "gap", "since", "cause"]
    look = {"kinds": kinds, "headers": headers, "caption": say["caption"], "highlight": {"gap": "state"}}
    return table(sample_frame(say), columns=columns, lang=lang, currency="CNY", **look)


def sample_slice() -> Slice:
    """Return a slice with two tables and two issues."""
    issues = pd.concat(
        [
            no_issues(),
            pd.DataFrame({"table": ["orders", "sales"], "column": ["promised_on", "quantity"], "rule": ["a date", "a number"]}),
        ]
    ).assign(rows=[312, 4], example=["31.02.2025", "12,x"], fix="ask the source", done="set aside")
    tables = DataSet(
        {"orders": sample_frame(EN), "sales": sample_frame(EN, 3)},
        Settings(assumptions=(Sentence("L = 30", "提前期 30"),)),
        issues,
    )
    return Slice("east", dt.date(2025, 12, 28), tables)


def captured(show: Callable[[], None]) -> list[Any]:
    """Return what `show` displays, as notebook outputs."""
    outputs: list[Any] = []

    def collect(data: dict[str, Any], *, raw: bool = False, metadata: dict[str, Any] | None = None) -> None:
        assert raw
        outputs.append(nbformat.v4.new_output("display_data", data=data, metadata=metadata or {}))

    with patch("IPython.display.display", collect):
        show()
    return outputs


def sample_notebook(page: Page, *, chart: bool = True, **changes: Any) -> Any:
    """Return an executed notebook of `page`: first screen, three sections, data, end."""
    say = {**WORDS[page.lang], **changes}
    drawn: Callable[[], Any] | None = (lambda: sample_axes(say)) if chart else None
    rows: Callable[[], Any] = lambda: sample_table(say, page.lang)  # noqa: E731
    parts: list[tuple[str, Callable[[], None]]] = [
        ("", lambda: show_first_screen(page)),
        (f"## {say['question']}\n\n{say['how']}", lambda: show_section(page, "gap", figure=drawn, table=rows)),
        (f"## {say['comment']}\n\n{say['how']}", lambda: show_section(page, "table", table=rows)),
        (f"## {say['question2']}\n\n{say['how']}", lambda: show_section(page, "returns", figure=drawn)),
        (f"## {say['question3']}", lambda: (show_params(page), show_data(page, sample_slice()))),
        ("", lambda: show_end(page)),
    ]
    cells = [nbformat.v4.new_markdown_cell(f"# {say['h1']}"), nbformat.v4.new_markdown_cell(say["intro"])]
    cells.append(nbformat.v4.new_code_cell("group = '/secret/path'", metadata={"tags": ["injected-parameters"]}))
    for words, show in parts:
        if words:
            cells.append(nbformat.v4.new_markdown_cell(words))
        cells.append(nbformat.v4.new_code_cell("show()", outputs=captured(show), execution_count=1))
    return nbformat.v4.new_notebook(cells=cells)
