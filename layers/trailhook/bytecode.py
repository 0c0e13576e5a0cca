"""Compiles the layer with the runtime's own minor version of Python, where this machine has it, and reports the size.

    python3 bytecode.py 3.13 "$ARTIFACTS_DIR"

Lambda's disk is read-only, so what is not compiled here is compiled again at every cold start. Bytecode of another
minor version would be ignored. SAM shows what a successful make prints to standard output, so all is said there.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

IMAGES = "public.ecr.aws/lambda/python"

ASK = "import sys; v = sys.version_info; print('%d.%d' % v[:2], v.releaselevel, sys.implementation.name)"

WARNING = """\
**********************************************************************************************************
WARNING: this layer ships SLOWER code: no Python {runtime} was found to compile it, so that every cold start
WARNING: compiles it anew and takes three times as long. Good enough to try out. Before you deploy, install
WARNING: Python {runtime} (`uv python install {runtime}` does, on any system) and run `sam build --no-cached`.
**********************************************************************************************************"""


def interpreters(runtime: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Where a Python of that version may be: on PATH, this one, uv's own, pyenv's."""
    yield from filter(None, [shutil.which(f"python{runtime}", path=environ.get("PATH")), sys.executable])
    home = Path(environ.get("HOME", "/nonexistent"))
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    uv = Path(environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    for folder, pattern in ((uv, f"cpython-{runtime}.*"), (pyenv, f"{runtime}.*")):
        for found in sorted(folder.glob(pattern), reverse=True):
            yield str(found / "bin" / f"python{runtime}")


def is_runtime(interpreter: str, runtime: str) -> bool:
    """Whether it runs and is that version: version managers put names on PATH that only print advice."""
    try:
        done = subprocess.run([interpreter, "-I", "-c", ASK], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.split() == [runtime, "final", "cpython"]


def container(runtime: str) -> str | None:
    """Lambda's own image of that version, if Docker has one already."""
    try:
        done = subprocess.run(
            ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return next((name for name in done.stdout.split() if name.startswith(f"{IMAGES}:{runtime}")), None)


def compilation(site: str, of: str) -> Sequence[str]:
    # The hash needs no checking in Lambda, and without time stamps the same sources give the same layer.
    return ["-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", of, "-p", "/opt", site]


def compile_layer(runtime: str, artifacts: Path, environ: Mapping[str, str]) -> str | None:
    """Compile with the first Python that will do, and name it. None if there is none. Raises CalledProcessError."""
    site = artifacts / "python"
    for interpreter in interpreters(runtime, environ):
        if is_runtime(interpreter, runtime):
            subprocess.run([interpreter, *compilation(str(site), str(artifacts))], check=True)
            return interpreter
    if image := container(runtime):
        run = ["docker", "run", "--rm", "--network", "none", "--user", f"{os.getuid()}:{os.getgid()}"]
        run += ["--volume", f"{site.resolve()}:/opt/python", "--entrypoint", "python3", image]
        subprocess.run([*run, *compilation("/opt/python", "/opt")], check=True)
        return image
    return None


def sizes(site: Path) -> Counter[str]:
    """Bytes of each package, its metadata left out."""
    found: Counter[str] = Counter()
    for path in site.rglob("*"):
        if path.is_file():
            top = path.relative_to(site).parts[0]
            found["(metadata and single modules)" if "." in top or top == "__pycache__" else top] += path.stat().st_size
    return found


def main(runtime: str, artifacts: Path) -> None:
    compiler = compile_layer(runtime, artifacts, os.environ)
    found = sizes(artifacts / "python")
    print(f"The layer holds {sum(found.values()) / 1e6:.1f} MB unzipped, of the 250 MB that Lambda allows:")
    for name, size in found.most_common():
        print(f"  {size / 1e6:5.1f} MB  {name}")
    print(f"Bytecode for Python {runtime} by {compiler}" if compiler else WARNING.format(runtime=runtime))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
