"""Canonical names: what each means, its unit, and which must not reach a client."""
