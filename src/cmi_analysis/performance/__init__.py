"""The KPI catalogue, scoring, intervals, peers and the look back: pure functions over frames."""
