"""One module per notebook: a slice and parameters in, a frozen result of tidy frames out."""

from cmi_analysis.stages.forecasting import forecast
from cmi_analysis.stages.inventory_policy import plan
from cmi_analysis.stages.management_summary import summarise
from cmi_analysis.stages.opening import Run, open_run
from cmi_analysis.stages.performance_review import review
from cmi_analysis.stages.segmentation import segment

__all__ = ["Run", "forecast", "open_run", "plan", "review", "segment", "summarise"]
