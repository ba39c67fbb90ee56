"""The demo book: a made-up supplier whose customers keep their own stock, with the truth known."""

from cmi_analysis.demo.book import Demo, make_demo

__all__ = ["Demo", "make_demo"]
