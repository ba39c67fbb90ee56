"""Frames as tables and pages as HTML; nothing is computed here but order and format."""
