"""Errors that speak to a person: what was expected, what was found, what to do."""

from __future__ import annotations


class CmiError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    expected : str
        What should have been there, as a phrase.
    found : str
        What was there instead; name file, line and column where they are known.
    fix : str
        What the reader can do about it.
    """

    exit_code = 1

    def __init__(self, *, expected: str, found: str, fix: str) -> None:
        self.expected, self.found, self.fix = expected, found, fix
        super().__init__(f"Expected {expected}; found {found}. {fix}")


class InputError(CmiError):
    """The data or the settings cannot be used as they are."""

    exit_code = 2


class ParameterError(InputError):
    """A parameter has an unknown name, a wrong type or a value that is not allowed."""


class StaleDataError(CmiError):
    """The newest data are older than the run allows."""

    exit_code = 3


class LockedError(CmiError):
    """Another run works on the same reports."""

    exit_code = 75


class ReportError(CmiError):
    """A report could not be made; the others go on."""
