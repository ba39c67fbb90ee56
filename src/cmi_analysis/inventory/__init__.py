"""Lead-time demand, levels, orders, alerts and a simulator: pure functions over frames."""
