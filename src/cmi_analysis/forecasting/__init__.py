"""Demand, forecasts with their uncertainty, and the back-test that chooses them: pure functions over frames."""
