"""moto's server in a process of its own: SQS, S3, Secrets Manager, STS and CloudWatch on a loopback port.

    python -m trailhook_local.stack.aws --port 0

Prints one line of JSON, `{"url": "http://127.0.0.1:…"}`, when it listens, and ends on SIGTERM or with its parent.
"""

import argparse
import json
import logging
import signal
import sys
from types import FrameType

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from trailhook_local.no_pages import NoPages
from trailhook_local.stack import move_tasks, sqs
from trailhook_local.stack import queue_ages as _queue_ages  # noqa: F401 - moto finds its class


def main() -> None:
    parser = argparse.ArgumentParser(description="moto's server for the local stack")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    sqs.install()
    move_tasks.install()
    server = make_server(
        "127.0.0.1",
        options.port,
        NoPages(DomainDispatcherApplication(create_backend_app)),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    signal.signal(signal.SIGTERM, _end)
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)  # noqa: T201 - the ready line
    server.serve_forever()


def _end(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
