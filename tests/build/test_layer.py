"""The layer as it is deployed: complete, for both architectures, and without what Lambda has no use for."""

import re
import struct
import sys
from pathlib import Path

import botocore.session
import pytest
from tests.build.conftest import ROOT, Build, Run

pytestmark = [pytest.mark.build, pytest.mark.timeout(600)]

MAGIC_OF_3_13 = struct.pack("<H", 3571) + b"\r\n"
"""What every bytecode file of Python 3.13 begins with (CPython's `Include/internal/pycore_magic_number.h`)."""

ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
"""e_machine of the ELF header."""

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
sys.path[:] = [sys.argv[1], *(path for path in sys.path if "site-packages" not in path)]
import trailhook
for module in pkgutil.walk_packages(trailhook.__path__, "trailhook."):
    importlib.import_module(module.name)
"""

CREATE_CLIENTS = """
import sys
sys.path[:] = [sys.argv[1], *(path for path in sys.path if "site-packages" not in path)]
import botocore.session
assert botocore.__file__.startswith(sys.argv[1])
session = botocore.session.Session()
for region in ("eu-central-1", "us-gov-west-1", "cn-north-1"):
    for service in sys.argv[2:]:
        print(session.create_client(service, region_name=region).meta.endpoint_url)
"""

VERIFY_SIGNATURE = """
import sys
sys.path.insert(0, sys.argv[1])
import cryptography
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
assert cryptography.__file__.startswith(sys.argv[1])
key = Ed25519PrivateKey.generate()
key.public_key().verify(key.sign(b"message"), b"message")
"""


def extension_modules(layer: Path) -> dict[str, set[str]]:
    """Every extension module without its suffix, and the suffixes it comes with."""
    found: dict[str, set[str]] = {}
    for path in layer.rglob("*.so*"):
        stem, _, suffix = path.name.partition(".")
        found.setdefault(str(path.relative_to(layer).with_name(stem)), set()).add(suffix)
    return found


def test_every_extension_module_is_there_for_both_architectures_and_loads_on_no_other(build: Build) -> None:
    suffixes = {f"cpython-313-{machine}-linux-gnu.so" for machine in ELF_MACHINES}
    modules = extension_modules(build.layer)
    assert "_cffi_backend" in modules
    assert modules == dict.fromkeys(modules, suffixes)


@pytest.mark.parametrize("machine", ELF_MACHINES)
def test_an_extension_module_is_of_the_architecture_in_its_name(build: Build, machine: str) -> None:
    paths = list(build.layer.rglob(f"*-{machine}-linux-gnu.so"))
    assert paths
    for path in paths:
        header = path.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert struct.unpack_from("<H", header, 18) == (ELF_MACHINES[machine],), path.name


def test_the_package_needs_nothing_that_the_layer_does_not_hold(
    build: Build, run: Run, runtime_python: str | None
) -> None:
    if runtime_python is None:
        pytest.skip("this machine has no python3.13, and orjson in the layer is for that version only")
    done = run([runtime_python, "-I", "-S", "-B", "-c", IMPORT_EVERYTHING, build.layer], build.layer)
    assert done.returncode == 0, done.stderr


def test_the_services_that_the_package_calls_survive_the_pruning(build: Build, run: Run) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (build.layer / "trailhook").rglob("*.py")]
    called = {name for source in sources for name in re.findall(r"\bclient\(\s*\"([a-z0-9-]+)\"", source)}
    assert called == {"sqs", "secretsmanager", "s3", "cloudtrail", "cloudtrail-data"}
    done = run([sys.executable, "-I", "-S", "-B", "-c", CREATE_CLIENTS, build.layer, *sorted(called)], build.layer)
    assert done.returncode == 0, done.stderr
    unpruned = botocore.session.Session()
    assert done.stdout.split() == [
        unpruned.create_client(service, region_name=region).meta.endpoint_url
        for region in ("eu-central-1", "us-gov-west-1", "cn-north-1")
        for service in sorted(called)
    ]


def test_the_layer_carries_no_dead_weight(build: Build) -> None:
    assert not list(build.layer.rglob("tests"))
    assert not list(build.layer.rglob("RECORD"))
    for unused in ("boto3", "s3transfer", "cffi", "pycparser", "bin", "aws_lambda_powertools/event_handler"):
        assert not (build.layer / unused).exists()
    data = build.layer / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == {
        "cloudtrail",
        "cloudtrail-data",
        "s3",
        "secretsmanager",
        "sqs",
        "sts",
    }
    assert (data / "endpoints.json").stat().st_size < 100_000


def test_the_build_reports_what_the_layer_holds(build: Build) -> None:
    unzipped = sum(path.stat().st_size for path in build.layer.rglob("*") if path.is_file())
    assert f"The layer holds {unzipped / 1e6:.1f} MB unzipped" in build.output
    assert re.search(r"[0-9.]+ MB  cryptography", build.output)
    assert unzipped < 60_000_000, "Lambda's limit for function and layers together is 250 MB"


def test_the_layer_ships_exactly_the_locked_versions(build: Build) -> None:
    requirements = (ROOT / "layers" / "trailhook" / "requirements.txt").read_text(encoding="utf-8")
    locked = re.findall(r"^([a-z0-9-]+)==(\S+)", requirements, re.MULTILINE)
    shipped = {path.name.removesuffix(".dist-info") for path in build.layer.glob("*.dist-info")}
    assert shipped == {f"{name.replace('-', '_')}-{version}" for name, version in locked}


def test_bytecode_is_shipped_or_its_absence_is_said_aloud(build: Build, runtime_python: str | None) -> None:
    sources = {path for path in build.layer.rglob("*.py") if path.stat().st_size}
    compiled = list(build.layer.rglob("*.pyc"))
    if "Bytecode for Python 3.13 by " not in build.output:
        assert runtime_python is None
        assert not compiled
        assert "WARNING: this layer ships SLOWER code" in build.output
        return
    assert "WARNING" not in build.output
    assert {cache_of(path) for path in sources} <= set(compiled)
    headers = {path.read_bytes()[:8] for path in compiled}
    assert headers == {MAGIC_OF_3_13 + struct.pack("<I", 0b01)}, "Python 3.13's, with an unchecked hash (PEP 552)"


def cache_of(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"


def test_signatures_can_be_verified_on_the_runtimes_own_version(
    build: Build, run: Run, runtime_python: str | None
) -> None:
    if runtime_python is None:
        pytest.skip("this machine has no python3.13, and the extension modules are for that version only")
    done = run([runtime_python, "-I", "-B", "-c", VERIFY_SIGNATURE, build.layer], build.layer)
    assert done.returncode == 0, done.stderr


def test_make_says_what_is_missing(checkout: Path, run: Run, tmp_path: Path) -> None:
    folder = checkout / "layers" / "trailhook"
    without_target = run(["make", "build-TrailhookLayer"], folder)
    assert without_target.returncode != 0
    assert "ARTIFACTS_DIR is not set" in without_target.stderr
    without_pip = run(["make", "build-TrailhookLayer", f"ARTIFACTS_DIR={tmp_path}", "PYTHON=/nonexistent"], folder)
    assert without_pip.returncode != 0
    assert "'/nonexistent -m pip' does not work" in without_pip.stderr
    assert not list(tmp_path.iterdir())
