"""How the build finds a Python to compile the layer with, and what it says when there is none."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.build.conftest import ROOT

SCRIPT = ROOT / "layers" / "trailhook" / "bytecode.py"
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
NOWHERE = "3.99"


def compile_layer(runtime: str, artifacts: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-B", str(SCRIPT), runtime, str(artifacts)],
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    package = tmp_path / "layer" / "python" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("ANSWER = 42\n", encoding="utf-8")
    return tmp_path / "layer"


def compiled(artifacts: Path) -> list[str]:
    return [path.name for path in artifacts.rglob("*.pyc")]


def stand_in(path: Path, runtime: str) -> Path:
    """A command that says it is Python `runtime`, and leaves a line in `asked` beside it when it is told to compile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    script = (
        f'#!/bin/sh\ncase "$*" in *compileall*) echo "$*" >>"{path}.asked";; *) echo {runtime} final cpython;; esac\n'
    )
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
    return path


def test_this_python_compiles_when_it_is_the_runtimes_own_version(artifacts: Path) -> None:
    done = compile_layer(OWN, artifacts, {"PATH": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    assert compiled(artifacts) == [f"__init__.cpython-{OWN.replace('.', '')}.pyc"]
    assert f"Bytecode for Python {OWN} by {sys.executable}" in done.stdout
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize(
    ("place", "environ"),
    [
        ("bin/python3.99", {"PATH": "{}/bin"}),
        ("home/.local/share/uv/python/cpython-3.99.1-linux/bin/python3.99", {"HOME": "{}/home"}),
        ("uv/cpython-3.99.1-linux/bin/python3.99", {"UV_PYTHON_INSTALL_DIR": "{}/uv"}),
        ("home/.pyenv/versions/3.99.1/bin/python3.99", {"HOME": "{}/home"}),
        ("pyenv/versions/3.99.1/bin/python3.99", {"PYENV_ROOT": "{}/pyenv"}),
    ],
    ids=["path", "uv", "uv-elsewhere", "pyenv", "pyenv-elsewhere"],
)
def test_the_runtimes_python_is_found_where_it_may_be(
    artifacts: Path, tmp_path: Path, place: str, environ: Mapping[str, str]
) -> None:
    python = stand_in(tmp_path / place, NOWHERE)
    done = compile_layer(NOWHERE, artifacts, {name: value.format(tmp_path) for name, value in environ.items()})
    assert done.returncode == 0, done.stderr
    assert f"Bytecode for Python {NOWHERE} by {python}" in done.stdout
    assert "unchecked-hash" in Path(f"{python}.asked").read_text(encoding="utf-8")


def test_a_name_that_is_another_version_is_passed_over(artifacts: Path, tmp_path: Path) -> None:
    python = stand_in(tmp_path / "bin" / f"python{NOWHERE}", "3.98")
    done = compile_layer(NOWHERE, artifacts, {"PATH": str(python.parent)})
    assert "WARNING" in done.stdout
    assert not Path(f"{python}.asked").exists()


def test_lambdas_container_compiles_where_there_is_no_interpreter(artifacts: Path, tmp_path: Path) -> None:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    image = f"public.ecr.aws/lambda/python:{NOWHERE}-arm64"
    docker.write_text(f'#!/bin/sh\necho "$*" >>"{docker}.asked"\necho {image}\n', encoding="utf-8")
    docker.chmod(0o755)
    done = compile_layer(NOWHERE, artifacts, {"PATH": str(docker.parent)})
    assert f"Bytecode for Python {NOWHERE} by {image}" in done.stdout, done.stderr
    listed, ran = Path(f"{docker}.asked").read_text(encoding="utf-8").splitlines()
    assert listed.startswith("image ls")
    assert f"--volume {artifacts / 'python'}:/opt/python" in ran
    assert ran.endswith("/opt/python")


def test_without_one_the_build_goes_on_and_says_so_aloud(artifacts: Path) -> None:
    done = compile_layer(NOWHERE, artifacts, {"PATH": "/nonexistent"})
    assert done.returncode == 0, done.stderr
    assert not compiled(artifacts)
    assert "WARNING: this layer ships SLOWER code" in done.stdout
    assert f"uv python install {NOWHERE}" in done.stdout


def test_what_cannot_be_compiled_fails_the_build(artifacts: Path) -> None:
    (artifacts / "python" / "package" / "broken.py").write_text("def\n", encoding="utf-8")
    assert compile_layer(OWN, artifacts, {"PATH": "/nonexistent"}).returncode != 0


def test_the_size_is_reported_by_package(artifacts: Path) -> None:
    (artifacts / "python" / "package" / "large.bin").write_bytes(bytes(2_500_000))
    done = compile_layer(NOWHERE, artifacts, {"PATH": "/nonexistent"})
    assert "The layer holds 2.5 MB unzipped" in done.stdout
    assert "2.5 MB  package" in done.stdout
