"""Diagrams of a report, as SVG: what people would rather look at than read."""
