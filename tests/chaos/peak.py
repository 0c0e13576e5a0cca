"""Run a function's handler once on the event in a file, and print its answer and the process's peak memory.

python tests/chaos/peak.py functions/forward/app.py event.json
"""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def main() -> None:
    spec = spec_from_file_location("app", sys.argv[1])
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    answer = module.handler(json.loads(Path(sys.argv[2]).read_bytes()), None)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    sys.stdout.write("\n" + json.dumps({"answer": answer, "peak_kb": int(status["VmHWM"].split()[0])}) + "\n")


if __name__ == "__main__":
    main()
