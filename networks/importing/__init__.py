"""Import of places: from OpenStreetMap, SUMO files and netconvert's formats, with a demand and a report."""

from denxanh.networks.importing.import_report import ImportNotes, ImportReport

__all__ = ["ImportNotes", "ImportReport"]
