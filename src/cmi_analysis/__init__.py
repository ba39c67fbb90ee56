"""Research and reporting on customer-managed inventory, one report per customer group."""

__version__ = "0.1.0"
