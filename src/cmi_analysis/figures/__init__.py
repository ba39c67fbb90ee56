"""Frames as charts: every ``plot_`` takes a finished frame and returns its Axes."""
