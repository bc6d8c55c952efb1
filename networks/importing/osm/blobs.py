"""The blobs of an OpenStreetMap PBF: what they unpack to, before anything is unpacked.

A file is a sequence of length (4 bytes, big-endian), BlobHeader and Blob, both in protocol buffers
(https://wiki.openstreetmap.org/wiki/PBF_Format). A Blob says its unpacked size, and osmium unpacks no more than that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import PBF_FREE, PBF_RATIO
from denxanh.sim.input.packed import too_packed

_HEADER_BYTES = 64 << 10  # the longest BlobHeader that the format allows
_RAW, _RAW_SIZE = 1, 2  # fields of a Blob: its content as it is, or the size of the packed content
_DATA_SIZE = 3  # field of a BlobHeader: bytes of the Blob after it


def check_size(path: Path) -> None:
    """Raise InputError for a PBF that unpacks to far more than its size, and for a file that is none."""
    left = max(PBF_FREE, PBF_RATIO * path.stat().st_size)
    with path.open("rb") as stream:
        try:
            for size in _unpacked_sizes(stream, path.stat().st_size):
                left -= size
                if left < 0:
                    raise too_packed(
                        path, "extract", PBF_RATIO, "convert it to XML if it is meant: osmium cat"
                    )
        except EOFError:
            raise InputError(
                "this is not OpenStreetMap PBF: its blobs are damaged",
                location=str(path),
                remedy="fetch it again",
            ) from None


def _unpacked_sizes(stream: IO[bytes], end: int) -> Iterator[int]:
    """The unpacked size of each blob in bytes. Raises EOFError for a file that is not a sequence of blobs."""
    while start := stream.read(4):
        length = int.from_bytes(start, "big")
        if len(start) < 4 or not 0 < length <= _HEADER_BYTES:
            raise EOFError
        header = dict(_fields(stream, stream.tell() + length, end))
        begin = stream.tell()
        fields = list(_fields(stream, begin + header.get(_DATA_SIZE, 0), end))
        yield sum(value for number, value in fields if number in (_RAW, _RAW_SIZE))


def _fields(stream: IO[bytes], stop: int, end: int) -> Iterator[tuple[int, int]]:
    """Number and value of the fields of a message that ends at ``stop``; of texts and bytes their length."""
    if stop > end:
        raise EOFError
    while stream.tell() < stop:
        key = _varint(stream)
        value = _varint(stream)
        if key & 7 == 2:
            stream.seek(value, os.SEEK_CUR)
        elif key & 7 != 0:  # the format has whole numbers and bytes only
            raise EOFError
        yield key >> 3, value
    if stream.tell() != stop:
        raise EOFError


def _varint(stream: IO[bytes]) -> int:
    """The next number: seven bits a byte, the lowest first."""
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise EOFError
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise EOFError
