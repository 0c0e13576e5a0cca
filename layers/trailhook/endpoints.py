"""Leaves in botocore's endpoints.json the services that the layer calls.

    python3 endpoints.py …/botocore/data/endpoints.json sqs s3 …

The first client of a process parses the file whole, 1.2 MB, which takes longer than everything else about it.
"""

import json
import sys
from pathlib import Path


def prune(path: Path, services: set[str]) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    for partition in document["partitions"]:
        partition["services"] = {name: entry for name, entry in partition["services"].items() if name in services}
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    prune(Path(sys.argv[1]), set(sys.argv[2:]))
