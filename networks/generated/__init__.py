"""Generated networks of seven kinds, each a different one for every seed, with a synthetic demand."""

from denxanh.networks.generated.kinds import KINDS, PREFIX, Kind, build, read_name

__all__ = ["KINDS", "PREFIX", "Kind", "build", "read_name"]
