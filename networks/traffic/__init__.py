"""Synthetic traffic of a place: capacity of approaches, demand by degree of saturation, route files."""

__all__ = [
    "capacity",
    "demand_origin",
    "routes_xml",
    "synthetic_demand",
]
