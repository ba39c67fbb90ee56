"""What a canonical name says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "date", "quantity", "money", "rate", "count", "number", "flag", "flag_or_rate", "coordinate"]


@dataclass(frozen=True)
class Name:
    """One canonical column.

    Attributes
    ----------
    kind : str
        ``id`` and ``text`` (strings), ``date`` (calendar date), ``quantity`` [sales units], ``money`` [the data set's currency],
        ``rate`` [fraction], ``count`` (non-negative number: days, rows), ``number`` (any figure), ``flag`` (yes, no, unknown),
        ``flag_or_rate`` (yes/no or a fraction of the period), ``coordinate`` [degrees].
    unit : str
        Unit, empty where there is none.
    meaning : str
        One line.
    confidential : bool
        True where no client may see it.
    """

    kind: Kind
    unit: str
    meaning: str
    confidential: bool = False
