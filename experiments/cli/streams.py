"""Standard output and error whatever they are: not UTF-8, a pipe that is closed, no terminal, or not there at all."""

from __future__ import annotations

import codecs
import io
import os
import sys
import unicodedata
from pathlib import Path

_ASCII = {
    "đ": "d", "Đ": "D", "×": "x", "·": "-", "–": "-", "—": "-", "‑": "-", "−": "-", "…": "...", "’": "'", "‘": "'",
    "“": '"', "”": '"', "≤": "<=", "≥": ">=", "±": "+/-", "→": "->", "←": "<-", "►": ">", "Δ": "D", "√": "sqrt",
    "²": "2", "³": "3", "•": "*", "✓": "ok", "⚠": "!", "━": "-", "─": "-", "│": "|", "╸": "-", "╺": "-",
}  # fmt: skip
TRANSCRIBE = "denxanh-transcribe"
"""The error handler that replaces what an encoding does not have by letters that it has."""


def transcribe(error: UnicodeError) -> tuple[str, int]:
    """The handler: base letters for letters with diacritics, ASCII for signs, else a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(letter: str) -> str:
    if letter in _ASCII:
        return _ASCII[letter]
    base = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return base or ("" if unicodedata.combining(letter) else "?")


codecs.register_error(TRANSCRIBE, transcribe)


class Output(io.TextIOWrapper):
    """A text stream that goes on in silence when the other end of its pipe is closed, as ``head`` does."""

    def write(self, text: str) -> int:
        """Write, or drop the text if nobody reads."""
        try:
            return super().write(text)
        except BrokenPipeError:
            self._discard()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what is left if nobody reads."""
        try:
            super().flush()
        except BrokenPipeError:
            self._discard()

    def _discard(self) -> None:
        """Let the descriptor lead nowhere; what is still in the buffer goes there."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def open_streams() -> None:
    """Make standard output and error safe to print anything to; streams that a caller has replaced stay."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller, or no console
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  (open as long as the process)
        elif type(stream) is io.TextIOWrapper and stream is getattr(sys, f"__{name}__"):
            encoding, buffered = stream.encoding, stream.line_buffering
            setattr(
                sys,
                name,
                Output(stream.detach(), encoding=encoding, errors=TRANSCRIBE, line_buffering=buffered),
            )
            setattr(sys, f"__{name}__", getattr(sys, name))


def echo(text: object = "", *, err: bool = False, end: str = "\n") -> None:
    """Print a line at once."""
    print(text, end=end, file=sys.stderr if err else sys.stdout, flush=True)
