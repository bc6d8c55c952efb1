"""Vietnamese street names: normalised spelling and ASCII identifiers."""

from __future__ import annotations

import re
import unicodedata

# "Ð" (U+00D0, Icelandic eth) and "Ɖ" (U+0189) look like "Đ" (U+0110) and are often typed instead.
_LOOKALIKES = str.maketrans({"\u00d0": "\u0110", "\u00f0": "\u0111", "\u0189": "\u0110", "\u0256": "\u0111"})
_D_STROKE = str.maketrans({"\u0110": "D", "\u0111": "d"})
_PREFIX = re.compile(r"^(phố|đường|đại lộ|đ\.|p\.)\s+", re.IGNORECASE)


def normalise(name: str) -> str:
    """Return ``name`` in NFC, with the letter Đ (U+0110) and single spaces; the prefix is kept."""
    return " ".join(unicodedata.normalize("NFC", name).translate(_LOOKALIKES).split())


def key(name: str) -> str:
    """Return the form in which names are compared: normalised, without "Phố" or "Đường", lower case.

    "Phố Huế" gives "huế"; "Đường Đại Cồ Việt" and "Đại Cồ Việt" compare equal.
    """
    return bare(name).casefold()


def bare(name: str) -> str:
    """Return ``name`` normalised and without "Phố" or "Đường"."""
    return _PREFIX.sub("", normalise(name))


def slug(name: str) -> str:
    """Return an ASCII identifier of a name: "Phố Trần Hưng Đạo" gives ``pho-tran-hung-dao``."""
    plain = unicodedata.normalize("NFD", normalise(name).translate(_D_STROKE))
    ascii_only = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
