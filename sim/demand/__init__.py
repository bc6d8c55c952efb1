"""Demand: departures and routes of vehicles, read from SUMO's route files; PCU and persons."""

__all__ = [
    "demand",
    "demand_reader",
    "departures",
    "equivalents",
    "flow_departures",
    "movement_flows",
    "routing",
    "vehicle_class",
]
