"""The data contract: what the tables are, how they are read, checked, kept and cut."""

from cmi_analysis.tables.dataset import DataSet, Settings, Slice, no_issues

__all__ = ["DataSet", "Settings", "Slice", "no_issues"]
