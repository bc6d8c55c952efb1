"""Import from OpenStreetMap: read, complete tags by Vietnamese law and practice, convert, report."""

from denxanh.networks.importing.osm.osm_import import import_osm

__all__ = ["import_osm"]
