"""The SAM CLI in its own environment, and the application as it builds it. Both are slow, so each is made once."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAM_ENVIRONMENT = ROOT / ".venv-sam"

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Build:
    """A finished `sam build`: its output, the built template and the layer's folder of Python packages."""

    output: str
    template: Path
    layer: Path


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without what would let SAM or boto3 reach an AWS account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_DEFAULT_REGION": "eu-central-1", "SAM_CLI_TELEMETRY": "0", **changes}


def working_python(name: str) -> str | None:
    """The interpreter of that name if it runs: version managers put names on PATH that only print advice."""
    path = shutil.which(name)
    if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
        return path
    return None


@pytest.fixture(scope="session")
def runtime_python() -> str | None:
    """Python 3.13, the functions' runtime, where this machine has it."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = ["python3.13", *(str(path) for path in pyenv.glob("3.13.*/bin/python3.13"))]
    return next(filter(None, map(working_python, names)), None)


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command in a folder and hand back its exit status and output."""

    def run_command(
        command: Sequence[str | Path], folder: Path, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            env=environment(**(variables or {})),
            capture_output=True,
            text=True,
            check=False,
        )

    return run_command


@pytest.fixture(scope="session")
def sam_python() -> Path:
    """The interpreter that has the SAM CLI and its translator."""
    if not (SAM_ENVIRONMENT / "bin" / "sam").exists():
        pytest.skip(f"the SAM CLI is not installed in {SAM_ENVIRONMENT.name}")
    return SAM_ENVIRONMENT / "bin" / "python"


@pytest.fixture(scope="session")
def sam(sam_python: Path) -> Path:
    return sam_python.with_name("sam")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sam build` reads, copied, so that it leaves nothing behind in the repository."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("functions", "layers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def build(sam: Path, checkout: Path, run: Run) -> Build:
    """The application, built with the settings of samconfig.toml."""
    done = run([sam, "build"], checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = checkout / ".aws-sam" / "build"
    return Build(done.stdout + done.stderr, folder / "template.yaml", folder / "TrailhookLayer" / "python")
