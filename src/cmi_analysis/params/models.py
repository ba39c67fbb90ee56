"""One frozen model per notebook; YAML, the notebook's cell, the command line and the report's own table come from it.

Fields are flat and of the types Papermill can see in a cell: str, int, float, bool, list of these, and Optional ones.
The order of the fields is the order in the cell. ``description`` ends with the unit in brackets.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _iso_date(value: str) -> str:
    if value:
        dt.date.fromisoformat(value)
    return value


IsoDate = Annotated[str, AfterValidator(_iso_date)]
Share = Annotated[float, Field(ge=0, le=1)]


class CommonParams(BaseModel):
    """What every notebook takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    group: str = Field("", description="report group; empty: the first one [id]")
    as_of: IsoDate = Field("", description="nothing later is used; empty: the newest date with all required tables [ISO date]")
    lang: Literal["en", "zh"] = Field("en", description="language of the report [en, zh]")
    audience: Literal["internal", "client"] = Field(
        "internal", description="who reads it; the client edition shows no cost [internal, client]"
    )
    seed: int = Field(1, ge=0, description="seed of everything random [count]")


class SegmentationParams(CommonParams):
    """Parameters of the notebook `segmentation`."""

    window_days: int = Field(365, ge=28, description="orders looked back on for frequency and money [days]")
    segment_names: Literal["western", "chinese"] = Field(
        "western", description="which rule table names the segments [western, chinese]"
    )
    value_a_share: Share = Field(0.80, description="cumulative value share of class A [fraction]")
    value_b_share: Share = Field(0.95, description="cumulative value share up to class B [fraction]")
    adi_cutoff: float = Field(1.32, gt=1, description="average demand interval above which demand is intermittent [periods]")
    cv2_cutoff: float = Field(0.49, gt=0, description="squared coefficient of variation above which sizes vary much [ratio]")
    least_demands: int = Field(3, ge=2, description="fewer demands than this: pattern 'too few' [count]")
    movement_days: int = Field(91, ge=28, description="who moved since so many days before as_of [days]")
    silent_days: int = Field(180, ge=28, description="without an order for longer than this a customer is silent [days]")
    overdue_tail: Share = Field(0.01, description="chance of an interval that long below which a customer is overdue [fraction]")
    cuts_on: IsoDate = Field("", description="date at which the cut points of the scores were taken; empty: as_of [ISO date]")
    cut_rule: Literal["halfway", "rfm_r"] = Field(
        "halfway", description="where a cut point lies; rfm_r: as R's package rfm, for comparison [halfway, rfm_r]"
    )
    cuts_file: str = Field("", description="cut points of an earlier run that hold on, its table cuts; empty: taken anew [path]")
    segment_rules_file: str = Field("", description="own segments in YAML, instead of the named ones; empty: none [path]")
    tier_high_share: Share = Field(0.2, description="share of the customers, by value, that are high [fraction]")
    tier_mid_share: Share = Field(0.5, description="share of the customers, by value, that are high or mid [fraction]")
    lifetime_months: int = Field(24, ge=1, description="horizon of the lifetime value [months]")
    discount_rate: Share = Field(0.1, description="yearly rate at which later money counts less [1/year]")
    least_model_customers: int = Field(200, ge=30, description="fewer customers than this: no purchase model is fitted [count]")
    clusters: int = Field(4, ge=2, le=12, description="clusters of customers, a second opinion [count]")
    site_cluster_km: float = Field(100.0, gt=0, description="largest distance between two sites of one cluster [km]")
    home_country: str = Field("", description="our country; empty: that of the customer nearest to each warehouse [code]")


class ForecastingParams(CommonParams):
    """Parameters of the notebook `forecasting`."""

    horizon: int = Field(13, ge=1, description="periods ahead [periods]")
    folds: int = Field(4, ge=1, description="rolling origins of the back-test [count]")
    decision_lag: int = Field(2, ge=1, description="periods between forecast and the period it decides on [periods]")
    interval: Share = Field(0.90, description="central prediction interval shown [fraction]")
    global_model: bool = Field(True, description="one model learnt from all groups takes part, in the book pass [yes or no]")
    most_items: int = Field(
        3000, ge=1, description="orders only: customer × product pairs forecast one by one, the others by product [count]"
    )
    reconciliation: Literal["none", "bottom_up", "proportions", "mint"] = Field(
        "bottom_up", description="how items and totals are made to add up [none, bottom_up, proportions, mint]"
    )


class InventoryPolicyParams(CommonParams):
    """Parameters of the notebook `inventory_policy`."""

    service_target: Share = Field(0.95, description="shelf fill aimed at where no contract says otherwise [fraction]")
    review_period_days: int = Field(7, ge=1, description="days between two order decisions where the assortment is silent [days]")
    assumed_lead_time_days: float | None = Field(None, description="lead time where the data hold none; shown as assumed [days]")
    assumed_holding_rate: float | None = Field(
        0.2, description="yearly holding cost per money of stock where costs hold none; shown as assumed [1/year]"
    )
    assumed_order_cost: float | None = Field(
        25.0, description="cost of one order line where costs hold none; shown as assumed [money]"
    )
    stock_budget: float | None = Field(
        None, ge=0, description="mean stock that the sites may tie up; set, targets are chosen together within it [money]"
    )
    order_budget: float | None = Field(None, ge=0, description="what all proposed orders together may cost [money]")
    storage_volume: float | None = Field(None, ge=0, description="what all proposed orders may take up [volume]")
    assumed_transfer_cost: float | None = Field(
        10.0, ge=0, description="cost of one transfer line between two sites; shown as assumed [money]"
    )
    transfer_days: int = Field(2, ge=0, le=90, description="days that a transfer between two sites takes [days]")
    horizon: int = Field(13, ge=1, description="periods projected [periods]")


class PerformanceReviewParams(CommonParams):
    """Parameters of the notebook `performance_review`."""

    window_months: int = Field(12, ge=1, description="months reviewed up to as_of [months]")
    late_tolerance_days: int = Field(0, ge=0, description="days after the due date that still count as on time [days]")
    early_tolerance_days: int = Field(7, ge=0, description="days before the due date that still count as on time [days]")
    quantity_tolerance: Share = Field(
        0.0, description="deviation from the ordered quantity that still counts as in full [fraction]"
    )
    order_fill_target: Share = Field(0.95, description="target of order fill where no contract says otherwise [fraction]")
    otif_target: Share = Field(0.90, description="target of OTIF where no contract says otherwise [fraction]")
    return_window_days: int = Field(90, ge=1, description="days after shipment in which a return counts [days]")
    forecast_lag: int = Field(
        1, ge=1, description="periods before its period by which a customer's forecast must have been issued [periods]"
    )


class ManagementSummaryParams(CommonParams):
    """Parameters of the notebook `management_summary`."""

    top_actions: int = Field(10, ge=1, description="actions shown over all groups [count]")


MODELS: dict[str, type[CommonParams]] = {
    "segmentation": SegmentationParams,
    "forecasting": ForecastingParams,
    "inventory_policy": InventoryPolicyParams,
    "performance_review": PerformanceReviewParams,
    "management_summary": ManagementSummaryParams,
}
