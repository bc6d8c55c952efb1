"""Whether an extract lies in Vietnam, whose law and practice fill in what the map does not say."""

from __future__ import annotations

import re
import unicodedata

from denxanh.networks.importing.osm.extract import Extract

OUTLINE = (
    8.0,
    102.0,
    23.5,
    110.0,
)  # south, west, north, east in degrees; parts of four neighbours lie in it too
# of the named streets; in extracts of Hà Nội and TP.HCM 0.88 to 0.99 of them, abroad next to none
VIETNAMESE = 0.5
_LETTERS = re.compile("[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]", re.IGNORECASE)


def in_vietnam(extract: Extract) -> bool:
    """Return whether the streets lie in Vietnam: within its outline, and with Vietnamese names where they have any.

    The outline alone would take Phnôm Pênh and Viêng Chăn for Vietnamese.
    """
    south, west, north, east = OUTLINE
    used = {n for way in extract.ways for n in way.nodes if n in extract.nodes}
    places = [(float(lat), float(lon)) for lat, lon, _ in (extract.nodes[n] for n in used)]
    if not places or not all(south <= lat <= north and west <= lon <= east for lat, lon in places):
        return False
    streets = [unicodedata.normalize("NFC", way.tags["name"]) for way in extract.ways if "name" in way.tags]
    return sum(bool(_LETTERS.search(name)) for name in streets) >= VIETNAMESE * len(streets)
