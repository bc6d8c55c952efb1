"""English and Vietnamese: texts in both languages and the switch between them on a page."""

__all__ = [
    "switch",
    "text",
]
