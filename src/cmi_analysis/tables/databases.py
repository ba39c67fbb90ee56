"""Tables in DuckDB and SQLite files and behind SQLAlchemy URLs, read only."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import pandas as pd

from cmi_analysis.errors import InputError, ParameterError
from cmi_analysis.tables.raw import RawTable, from_frame

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_WRITTEN_PASSWORD = re.compile(r"://[^/@\s]*:(?!\$\{)[^/@\s]+@|[?&;](password|pwd|token|secret)=(?!\$\{)[^&;]+", re.IGNORECASE)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def read_duckdb(path: Path) -> list[RawTable]:
    """Return every table and view of a DuckDB file, opened read-only with external access locked."""
    import duckdb

    try:
        link = duckdb.connect(str(path), read_only=True, config={"enable_external_access": "false", "lock_configuration": "true"})
    except duckdb.Error as error:
        raise InputError(
            expected=f"a DuckDB file in {path.name}",
            found=str(error).splitlines()[0],
            fix="Check the file, or close other writers.",
        ) from None
    with link:
        rows = link.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY 1").fetchall()
        return [
            from_frame(link.execute(f"SELECT * FROM {_quoted(name)}").df(), name=name, file=f"{path.name}:{name}")  # noqa: S608
            for (name,) in rows
        ]


def read_sqlite(path: Path) -> list[RawTable]:
    """Return every table and view of a SQLite file, opened read-only."""
    link = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        names = [row[0] for row in link.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY 1")]
        tables = []
        for name in names:
            if not name.startswith("sqlite_"):
                cursor = link.execute(f"SELECT * FROM {_quoted(name)}")  # noqa: S608
                frame = pd.DataFrame(cursor.fetchall(), columns=[item[0] for item in cursor.description], dtype="object")
                tables.append(from_frame(frame, name=name, file=f"{path.name}:{name}"))
        return tables
    except sqlite3.DatabaseError as error:
        raise InputError(expected=f"a SQLite file in {path.name}", found=str(error), fix="Check the file.") from None
    finally:
        link.close()


def fill_from_environment(url: str) -> str:
    """Return `url` with each ``${NAME}`` replaced by that environment variable.

    Raises
    ------
    ParameterError
        A password is written in the address itself, or a variable is not set.

    Examples
    --------
    >>> fill_from_environment("sqlite:///orders.db")
    'sqlite:///orders.db'
    """
    if _WRITTEN_PASSWORD.search(url):
        raise ParameterError(
            expected="an address without a written password",
            found="a password in the address",
            fix="Put it into an environment variable and write ${ITS_NAME} in its place.",
        )
    for name in _VARIABLE.findall(url):
        if name not in os.environ:
            raise ParameterError(
                expected=f"the environment variable {name}", found="none of that name", fix=f"Set {name} before the run."
            )
    return _VARIABLE.sub(lambda match: os.environ[match.group(1)], url)


def read_database(url: str) -> list[RawTable]:
    """Return every table behind a SQLAlchemy URL.

    Parameters
    ----------
    url : str
        Address; user and password only as ``${NAME}`` of environment variables.

    Raises
    ------
    ParameterError
        A written password, or a variable that is not set.
    InputError
        The database does not answer; the message never repeats the address.
    """
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(fill_from_environment(url))
        with engine.connect() as link:
            names = sorted(sqlalchemy.inspect(link).get_table_names())
            tables = [sqlalchemy.Table(name, sqlalchemy.MetaData(), autoload_with=link) for name in names]
            frames = [pd.read_sql_query(sqlalchemy.select(table), link) for table in tables]
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        raise InputError(
            expected="a database that answers", found=type(error).__name__, fix="Check address, driver, user and network."
        ) from None
    engine.dispose()
    return [from_frame(frame, name=name, file=f"database:{name}") for name, frame in zip(names, frames, strict=True)]
