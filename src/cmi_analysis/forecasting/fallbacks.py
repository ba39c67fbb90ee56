"""Reasons why no model forecasts a series, and what stands in its place; the empty text: a model does."""

from __future__ import annotations

MODEL = ""
# demand has ended, or there never was any: zero by rule
ZERO = ("dead", "all_zeros")
# a history too short for a model, or with hardly any demand: the mean
SCARCE = ("short", "few")
# the same, but with kin to forecast it from
KIN = "kin"
# zero by rule, but the back-test shows that such series come back
RETURNING = "returning"
# what has errors of its own pattern, and what is a pool of errors of its own
PATTERNED, OWN_POOL = (MODEL, *SCARCE), (KIN, RETURNING)
