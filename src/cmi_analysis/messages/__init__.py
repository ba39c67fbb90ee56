"""Results in sentences: headline, findings, cards, actions; every word from the catalogue."""

from cmi_analysis.messages.forecasting import tell_forecasting
from cmi_analysis.messages.forecasting_sections import tell_forecast_sections
from cmi_analysis.messages.inventory_policy import tell_inventory_policy
from cmi_analysis.messages.inventory_sections import tell_plan_section
from cmi_analysis.messages.management_summary import tell_management_summary
from cmi_analysis.messages.performance_review import tell_performance_review
from cmi_analysis.messages.segmentation import tell_segmentation
from cmi_analysis.messages.segmentation_sections import tell_segmentation_sections

__all__ = [
    "tell_forecast_sections",
    "tell_forecasting",
    "tell_inventory_policy",
    "tell_management_summary",
    "tell_performance_review",
    "tell_plan_section",
    "tell_segmentation",
    "tell_segmentation_sections",
]
