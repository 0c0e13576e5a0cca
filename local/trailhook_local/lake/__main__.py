"""`python -m trailhook_local.lake`: serve one Lake until SIGTERM; one JSON line on stdout says where."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

import duckdb

from trailhook_local.lake.server import LakeServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m trailhook_local.lake", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 lets the system choose")
    parser.add_argument("--account", default="111122223333", help="the account that owns this Lake")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--data", type=Path, help="directory that keeps resources and events; in memory without it")
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        lake = LakeServer(
            account=arguments.account, region=arguments.region, directory=arguments.data, port=arguments.port
        )
    except (OSError, duckdb.Error) as error:
        parser.exit(1, f"the Lake's data cannot be used: {error}\nMove {arguments.data} away, or name another folder\n")
    with lake as server:
        sys.stdout.write(json.dumps({"url": server.url}) + "\n")
        sys.stdout.flush()
        stop.wait()
    # All is closed. For the thread of a connection that a client keeps open DuckDB would list what it could not let go.
    os._exit(0)


if __name__ == "__main__":
    main()
