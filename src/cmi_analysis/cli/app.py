"""The commands by name; each is imported when the command line starts and imports what is slow when it is called."""

from __future__ import annotations

import typer

from cmi_analysis.cli.check import check
from cmi_analysis.cli.demo import demo
from cmi_analysis.cli.forecast import forecast
from cmi_analysis.cli.ingest import ingest
from cmi_analysis.cli.params import params
from cmi_analysis.cli.plan import plan
from cmi_analysis.cli.report import report

app = typer.Typer(
    name="cmi",
    help="Reports on customer-managed inventory, one per customer group.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (demo, check, ingest, report, forecast, plan, params):
    app.command()(command)
