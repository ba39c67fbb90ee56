"""Display names of things that the data or the code name by an id: KPIs, tables, reasons of returns."""

from __future__ import annotations

from cmi_analysis.labels.catalogue import Language, has_text, text


def kpi_name(kpi: str, lang: Language = "en", *, lag: int | None = None) -> str:
    """Return the display name of a KPI; of one on the customers' forecasts with their `lag` [periods], where it is given.

    Examples
    --------
    >>> kpi_name("wape", lag=1), kpi_name("otif", lag=1)
    ("Customers' error at lag 1 (WAPE)", 'OTIF')
    """
    named = f"kpi.{kpi}.name_at_lag"
    return text(named, lang, lag=str(lag)) if lag is not None and has_text(named) else text(f"kpi.{kpi}.name", lang)


def returned_word(reason: str, lang: Language = "en") -> str:
    """Return a reason of returned goods in `lang` where it is a usual one, else as it stands in the data.

    Examples
    --------
    >>> returned_word("wrong item", "zh"), returned_word("Farbe", "zh")
    ('发错货', 'Farbe')
    """
    key = f"performance.returned.{reason.strip().lower().replace(' ', '_')}"
    return text(key, lang) if has_text(key) else reason


def table_name(table: str, lang: Language = "en") -> str:
    """Return the display name of a table of the data contract; of another one its own name.

    Examples
    --------
    >>> table_name("deliveries", "zh"), table_name("mine", "zh")
    ('交货', 'mine')
    """
    key = f"tables.name.{table}"
    return text(key, lang) if has_text(key) else table
