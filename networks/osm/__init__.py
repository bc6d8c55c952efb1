"""Any city from OpenStreetMap: read, fill by Vietnamese law and practice, convert, mend, report."""

from networks.osm.importer import import_osm
from networks.osm.report import ImportReport

__all__ = ["ImportReport", "import_osm"]
