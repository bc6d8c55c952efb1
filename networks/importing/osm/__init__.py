"""Any city from OpenStreetMap: read, fill (in Vietnam by its law and practice), convert, mend, report."""

from denxanh.networks.importing.osm.osm_import import import_osm

__all__ = ["import_osm"]
