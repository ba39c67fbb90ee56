"""The check finds what it is there to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmi_analysis.report.check_html import POLICY, check_html

HEAD = (
    f'<!DOCTYPE html><html lang="en"><head><meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>x</title></head>'
)
END = "</body></html>\n<!-- cmi:complete segmentation 0123456789ab -->\n"


def page(body: str) -> str:
    """Return a page around `body`."""
    return f"{HEAD}<body><h1>x</h1>{body}{END}"


def test_clean_page_has_no_problem(tmp_path: Path) -> None:
    clean = page('<a href="#a">x</a><p id="a">x</p><img alt="x" src="data:image/png;base64,AA==">')
    assert check_html(clean) == []
    (tmp_path / "x.html").write_text(clean, "utf-8")
    assert check_html(tmp_path / "x.html") == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("<script>1</script>", "active element <script>"),
        ("<p onclick=alert(1)>x</p>", "a handler onclick in <p>"),
        ("<svg aria-label=x><g OnLoad=1></g></svg>", "a handler onload in <g>"),
        ("<a href='JavaScript:alert(1)'>x</a>", "javascript: in <a href>"),
        ("<a href='java\tscript:alert(1)'>x</a>", "javascript: in <a href>"),
        ("<a href='&#106;avascript:1'>x</a>", "javascript: in <a href>"),
        ("<a href='https://example.com/'>x</a>", "an address in <a href>"),
        ("<a href='//example.com/x.html'>x</a>", "an address in <a href>"),
        ("<img alt=x src='http://example.com/p.png'>", "an address in <img src>"),
        ("<img alt=x src='data:image/svg+xml,x'>", "an address in <img src>"),
        ("<img alt=x srcset='x.png 2x' src='data:image/png;base64,AA=='>", "an address in <img srcset>"),
        ("<img src='data:image/png;base64,AA=='>", "an image without alternative text"),
        ("<svg></svg>", "a drawing without alternative text"),
        ("<svg aria-label=x><use xlink:href='http://x/y'/></svg>", "active element <use>"),
        ("<p style='background:url(http://x)'>x</p>", "a style in <p> that loads something"),
        ("<style>@import 'x'</style>", "a style sheet that loads something"),
        ("<link rel=stylesheet href=x.css>", "a <link> that loads something"),
        ("<meta http-equiv=Refresh content='0;url=x'>", "a page that leads elsewhere"),
        ("<iframe></iframe>", "active element <iframe>"),
        ("<form></form>", "active element <form>"),
        ("<p id=a></p><p id=a></p>", "two elements with the id a"),
        ("<a href='#b'>x</a>", "a link to #b, which is not there"),
        ("<h3>x</h3>", "a heading that leaves out a level"),
        ("<h1>x</h1>", "2 main headings instead of one"),
        ("x" * 1_500_001, "more than 1,500,000"),
    ],
)
def test_fault_is_named(body: str, problem: str) -> None:
    assert any(problem in found for found in check_html(page(body)))


def test_page_without_policy_language_or_end_is_found() -> None:
    assert "the page does not forbid loading (content security policy)" in check_html(page("").replace("default-src", "x"))
    assert "the page does not say its language" in check_html(page("").replace(' lang="en"', ""))
    cut = page("")[:-20]
    assert "the file does not end with its sentinel: it is not complete" in check_html(cut)
    assert check_html(page("").partition("<!-- cmi")[0], complete=False) == []
