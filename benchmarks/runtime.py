"""What Lambda runs the functions on: the layer as it is built, the runtime's Python, and its image."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LAYER = ROOT / "layers" / "trailhook"


def runtime() -> str:
    """The minor version of Python that the functions run on."""
    found = re.search(r"^RUNTIME := (\S+)", (LAYER / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


def bytecode() -> Any:
    """The build step that looks for interpreters."""
    spec = spec_from_file_location("bytecode", LAYER / "bytecode.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def interpreter() -> str:
    """The runtime's own minor version where this machine has it, else this one."""
    version, build = runtime(), bytecode()
    return next(
        (name for name in build.interpreters(version, os.environ) if build.is_runtime(name, version)), sys.executable
    )


def build_layer(folder: Path, version: str) -> Path:
    """The layer as `sam build` makes it, for Python `version`."""
    make = [
        "make",
        "--silent",
        "-C",
        str(LAYER),
        "build-TrailhookLayer",
        f"ARTIFACTS_DIR={folder}",
        f"RUNTIME={version}",
    ]
    subprocess.run([*make, f"PYTHON={sys.executable}"], check=True, capture_output=True)
    return folder / "python"


def in_image(version: str, paths: Iterable[Path], names: Iterable[str]) -> Sequence[str]:
    """A command that runs the Python of Lambda's image, where these paths can be read and these variables are set."""
    image = bytecode().container(version)
    if image is None:
        raise SystemExit(
            f"Docker has no image of Lambda's Python {version}: `make lambda-image` gets it, and Docker, too"
        )
    mounts = [word for path in paths for word in ("--volume", f"{path}:{path}:ro")]
    variables = [word for name in names for word in ("--env", name)]
    return ["docker", "run", "--rm", "--network", "host", *mounts, *variables, "--entrypoint", "python3", image]
