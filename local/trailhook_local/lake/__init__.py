"""A CloudTrail Lake for the laptop: wire-compatible, strict about every documented limit, with SQL on embedded DuckDB.

It judges what the product sends, so it shares no code with it.
"""

from trailhook_local.lake.server import LakeServer

__all__ = ["LakeServer"]
