"""Any city from OpenStreetMap: read, fill by Vietnamese law and practice, convert, mend, report."""

from networks.osm.importer import import_osm

__all__ = ["import_osm"]
