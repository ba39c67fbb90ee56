"""A report read as a browser reads it: nothing that acts or loads, every chart has its words, the file is whole and small."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from cmi_analysis.displays.escaping import stays_inside

LARGEST = 1_500_000  # bytes
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
SENTINEL = re.compile(r"<!-- cmi:complete [\w.]+ [\w.]+ -->\s*\Z")
_ACTIVE = frozenset(
    {"script", "iframe", "object", "embed", "applet", "form", "input", "button", "frame", "frameset", "audio", "video", "source"}
    | {"portal", "base", "foreignobject", "animate", "set", "use", "template", "textarea", "noscript", "math", "track"}
)
_ADDRESSES = frozenset(
    {"href", "src", "srcset", "action", "formaction", "background", "poster", "data", "cite", "longdesc", "ping", "xlink:href"}
)
_STYLE_LOADS = re.compile(r"url\s*\(|@import|expression\s*\(|image-set\s*\(", re.I)


def check_html(path_or_text: str | Path, *, complete: bool = True) -> list[str]:
    """Return what is wrong with a report's HTML, one sentence each, empty where nothing is.

    Parameters
    ----------
    path_or_text : str or Path
        A path, or the HTML itself.
    complete : bool
        Whether the file must end with the sentinel; the index has none.
    """
    import html5lib

    page = path_or_text.read_text("utf-8") if isinstance(path_or_text, Path) else path_or_text
    tree = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    problems = [problem for element in elements for problem in _element_problems(element)]
    problems += _document_problems(tree, elements)
    size = len(page.encode())
    if size > LARGEST:
        problems.append(f"the file has {size:,} bytes, more than {LARGEST:,}")
    if complete and not SENTINEL.search(page):
        problems.append("the file does not end with its sentinel: it is not complete")
    return problems


def _plain(name: Any) -> str:
    """Return a tag's or attribute's name without namespace."""
    return str(name).rpartition("}")[2].lower()


def _element_problems(element: Element) -> Iterator[str]:
    tag = _plain(element.tag)
    if tag in _ACTIVE:
        yield f"active element <{tag}>"
    if tag == "link" and element.get("href") != "data:,":
        yield "a <link> that loads something"
    if tag == "meta" and element.get("http-equiv", "").lower() == "refresh":
        yield "a page that leads elsewhere"
    if tag == "style" and _STYLE_LOADS.search(element.text or ""):
        yield "a style sheet that loads something"
    if tag == "img" and not (element.get("alt") or "").strip():
        yield "an image without alternative text"
    if tag == "svg" and not (element.get("aria-label") or "").strip():
        yield "a drawing without alternative text"
    for name, value in element.attrib.items():
        yield from _attribute_problems(tag, _plain(name), value or "")


def _attribute_problems(tag: str, name: str, value: str) -> Iterator[str]:
    address = "".join(value.split()).lower()
    if name.startswith("on"):
        yield f"a handler {name} in <{tag}>"
    if "javascript:" in address and name in _ADDRESSES:
        yield f"javascript: in <{tag} {name}>"
    if name == "style" and _STYLE_LOADS.search(value):
        yield f"a style in <{tag}> that loads something"
    if name in _ADDRESSES and not _inside(tag, name, address):
        yield f"an address in <{tag} {name}>: {value[:60]}"


def _inside(tag: str, name: str, address: str) -> bool:
    """Tell whether an address stays in the file, or, for a link of the index, beside it."""
    if tag == "img" and name == "src":
        return address.startswith("data:image/png;base64,")
    if tag == "link":
        return True  # told apart above
    if tag != "a" or name != "href":
        return False
    return stays_inside(address)


def _document_problems(tree: Element, elements: Iterable[Element]) -> Iterator[str]:
    elements = list(elements)
    if not tree.get("lang"):
        yield "the page does not say its language"
    policies = [item.get("content") for item in elements if item.get("http-equiv", "").lower() == "content-security-policy"]
    if policies != [POLICY]:
        yield "the page does not forbid loading (content security policy)"
    names = [str(item.get("id")) for item in elements if item.get("id")]
    yield from (f"two elements with the id {name}" for name in sorted({name for name in names if names.count(name) > 1}))
    wanted = {item.get("href", "")[1:] for item in elements if item.tag == "a" and item.get("href", "").startswith("#")}
    yield from (f"a link to #{name}, which is not there" for name in sorted(wanted - set(names)))
    levels = [int(item.tag[1]) for item in elements if re.fullmatch(r"h[1-6]", str(item.tag))]
    if levels.count(1) != 1:
        yield f"{levels.count(1)} main headings instead of one"
    if any(after > before + 1 for before, after in itertools.pairwise(levels)):
        yield "a heading that leaves out a level"
