"""Sections of the inventory plan, columns of its frames, and which of them a client does not see."""

from __future__ import annotations

from cmi_analysis.stages.plan_actions import ACTION_COLUMNS

SECTIONS = (
    "service",
    "money",
    "actions",
    "projection",
    "curve",
    "targets",
    "policies",
    "promised",
    "safety_stock",
    "allocation",
    "sharing",
    "lead_time",
    "sensitivity",
    "data",
)
"""Keys of the report's sections, in their order."""
_ITEM = "echelon customer_id product_id customer_name product_name"
_STOCK = "stock_now model_stock releasable on_order_excess missing"
_LEAD = "echelon lines open_lines mean_days cv p95_days late_share crossing_share"
_COLUMNS = {
    "customers": "echelon customer_id customer_name items items_under target promised expected contract daily_demand "
    "stock_value excess_value stockout_value in_stock_rate snapshots gap",
    "money": f"owner items {_STOCK} {' '.join(f'{name}_value' for name in _STOCK.split())} costed_share",
    "proposals": f"{_ITEM} order_on arrives_on quantity need reason bound_by on_hand on_order position trigger cover_days "
    "decides owner order_value saved_units effect",
    "held_orders": f"{_ITEM} need quantity why held_value wait_days choice_saving",
    "alerts": f"{_ITEM} alert chance quantity money advice muted",
    "pipeline": f"{_ITEM} week starts_on open_supply arriving demand expected_short stock stock_out_chance",
    "actions": " ".join(ACTION_COLUMNS),
    "projection": f"{_ITEM} lowest date stock stock_low stock_high stock_with_order shortage_chance",
    "targets": "way stock_units stock_value promised items_share_under customers_share_under saving status",
    "curve": "point target stock_units stock_value promised",
    "policies": f"{_ITEM} abc xyz policy reorder_point order_quantity order_up_to_level safety_stock economic_order_quantity "
    "target measure target_source strategy_rule safety_stock_rule promised cycle_service expected lead_time_days "
    "lead_time_source review_period_days daily_demand error_cv variance_source mean_stock at_maximum on_hand on_order "
    "position cover_days excess_on_shelf excess_on_order stockout_value owner owner_cost",
    "classes": "echelon abc xyz items in_batches up_to_level safety_stock model_stock model_value promised demand_share",
    "promised": "abc items target promised simulated simulated_low simulated_high",
    "backtest": "echelon supply measure was would_be would_be_low would_be_high difference change_low change_high items",
    "safety_stock": "abc items safety_stock safety_value demand_noise_share bias_share lead_time_share "
    "parameter_share rounding_share",
    "allocation": f"{_ITEM} priority need available allocated short short_value",
    "site_transfers": "echelon product_id product_name from_customer_id from_customer_name to_customer_id to_customer_name "
    "quantity spare saved_units arrives_on next_delivery_on benefit transfer_cost transfer_gain",
    "pooling": "echelon product_id product_name account_id sites periods correlation safety_apart safety_pooled "
    "safety_uncorrelated saved_stock holding_saved pooling_cost reason",
    "lead_times": f"customer_id customer_name {_LEAD}",
    "suppliers": f"supplier_id supplier_name products {_LEAD}",
    "sensitivity": "change stock_units stock_value promised",
    "coverage": "what items share",
}
COLUMNS: dict[str, tuple[str, ...]] = {name: tuple(columns.split()) for name, columns in _COLUMNS.items()}
"""Columns of each frame of a plan's result; an empty frame has them too."""
CONFIDENTIAL: dict[str, tuple[str, ...]] = {
    "policies": ("strategy_rule", "owner_cost", "stockout_value", "economic_order_quantity"),
    "proposals": ("effect",),
    "held_orders": ("choice_saving",),
    "actions": ("effect", "otherwise_money", "cash_ours"),
    "customers": ("stockout_value",),
    "site_transfers": ("benefit", "transfer_cost", "transfer_gain"),
    "pooling": ("holding_saved", "pooling_cost"),
}
"""Columns that a client does not see."""
MIXED: dict[str, tuple[str, ...]] = {
    "proposals": ("order_value",),
    "alerts": ("money",),
    "held_orders": ("held_value",),
    "actions": ("cash_customer",),
    "customers": ("stock_value", "excess_value"),
    "money": tuple(f"{name}_value" for name in _STOCK.split()),
    "curve": ("stock_value",),
    "targets": ("stock_value", "saving"),
    "classes": ("model_value",),
    "safety_stock": ("safety_value",),
    "sensitivity": ("stock_value",),
}
"""Columns of money that a client sees only where no stock of ours is among it."""
