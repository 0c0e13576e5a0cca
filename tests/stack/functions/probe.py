"""A function that does what its event asks for, so that each way in which Lambda can end an invocation can be seen."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

LOADED = {"times": 0}
LOADED["times"] += 1


def handler(event: dict[str, Any], context: Any) -> Any:  # noqa: PLR0911, RET503 - one answer per wish
    match event["do"]:
        case "echo":
            return event["value"]
        case "context":
            return {
                "request_id": context.aws_request_id,
                "name": context.function_name,
                "arn": context.invoked_function_arn,
                "memory": context.memory_limit_in_mb,
                "remaining_ms": context.get_remaining_time_in_millis(),
            }
        case "environment":
            return dict(os.environ)
        case "process":
            return {"pid": os.getpid(), "loaded": LOADED["times"], "folder": str(os.getcwd())}  # noqa: PTH109
        case "print":
            sys.stdout.write(f"{event['value']}\n")
            subprocess.run(["echo", event["value"]], check=True)
            return "printed"
        case "raise":
            raise ValueError(event["value"])
        case "exit":
            sys.exit(event["value"])
        case "unserialisable":
            return {1, 2, 3}
        case "sleep":
            time.sleep(event["value"])
            return "slept"
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case other:
            raise AssertionError(f"the probe cannot {other}")
