"""The cold start benchmark runs the functions it claims to measure, and reports each beside the anchor."""

import io
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from benchmarks.cold_start import ANCHOR, Accepting, Subject, environment, measure, render
from benchmarks.runtime import in_image
from rich.console import Console

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """This environment's packages and the product's source in one folder, as a layer has them."""
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / "trailhook").symlink_to(ROOT / "layers" / "trailhook" / "trailhook")
    return tmp_path


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Accepting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_each_function_is_invoked_and_set_beside_the_anchor(site: Path, url: str) -> None:
    delivery = EVENTS / "receive-github-webhook.json"
    subjects = {
        ANCHOR: Subject(site, event=delivery),
        "receive": Subject(site, ROOT / "functions" / "receive", delivery),
        "forward": Subject(site, ROOT / "functions" / "forward", EVENTS / "forward-deliveries.json"),
        "integration": Subject(site, ROOT / "functions" / "integration"),
    }
    results = measure([sys.executable], subjects, environment(url), rounds=1)
    assert set(results) == set(subjects)
    for name in (ANCHOR, "receive", "forward"):
        assert results[name]["first"] > results[name]["init"] > results[name]["warm"] > 0
    assert set(results["integration"]) == {"init"}
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(render(results, "Cold start"))
    (anchor,) = (line for line in console.export_text().splitlines() if ANCHOR in line)
    assert anchor.count("1.00") >= 2


def test_a_sample_that_fails_is_no_measurement(site: Path, url: str) -> None:
    refused = Subject(site, ROOT / "functions" / "receive", EVENTS / "receive-github-webhook.json")
    with pytest.raises(SystemExit, match="A sample failed"):
        measure([sys.executable], {ANCHOR: refused}, {**environment(url), "PARTNER": "okta"}, rounds=1)


def test_a_machine_without_the_image_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="make lambda-image"):
        in_image("3.13", [ROOT], ["PYTHONPATH"])
