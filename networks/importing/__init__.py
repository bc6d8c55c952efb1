"""What every import shares: a demand to start with, the folder that is the place, and the report of guesses."""

from networks.importing.report import Guesses, ImportReport

__all__ = ["Guesses", "ImportReport"]
