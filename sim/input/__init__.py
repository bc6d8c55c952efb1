"""Input of users: how large and how long it may be, and the readers of text files that keep to it."""

__all__ = ["collector", "limits", "packed", "requirements", "text_files"]
