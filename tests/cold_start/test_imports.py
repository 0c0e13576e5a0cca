"""What a cold start imports. Not how long that takes, which no test can say on a shared machine: what it is made of."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("receive", "forward", "integration")

IMPORT_HANDLER = """
import json, pathlib, runpy, sys
opened = set()
sys.addaudithook(lambda event, found: opened.add(str(found[0])) if event == "open" else None)
runpy.run_path(sys.argv[1])
models = sorted(path.parts[-3] for path in map(pathlib.PurePath, opened) if path.name.startswith("service-2.json"))
print(json.dumps({"modules": list(sys.modules), "models": models}))
"""
"""Of each service's model, the service's name is the folder above the version's."""

ENVIRONMENT = {
    "PARTNER": "github",
    "DELIVERY_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/111122223333/deliveries",
    "WEBHOOK_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:webhook-AbCdEf",
    "CHANNEL_ARN": "arn:aws:cloudtrail:eu-central-1:111122223333:channel/00000000-0000-4000-8000-000000000000",
    "QUARANTINE_BUCKET": "quarantine",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
}
IN_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "function"}

UNUSED = {
    "boto3": "botocore alone signs and sends",
    "s3transfer": "it comes with boto3",
    "cryptography": "only a proof by public key needs it",
    "awscrt": "botocore takes it where it finds it",
    "OpenSSL": "botocore takes it where it finds it",
    "aws_lambda_powertools.event_handler": "there is one route",
    "aws_lambda_powertools.utilities.data_classes": "events are read as they are",
    "aws_lambda_powertools.utilities.batch": "it works record by record",
    "aws_lambda_powertools.utilities.parameters": "secrets have rules of their own",
    "aws_xray_sdk": "Lambda traces by itself",
    "requests": "botocore brings its own HTTP client",
    "yaml": "descriptors are compiled before they are deployed",
    "trailhook_local": "the laptop is never deployed",
    "duckdb": "the laptop's",
    "flask": "the laptop's",
    "moto": "the laptop's",
}


class Started:
    """What a fresh interpreter had loaded once it had imported a function's handler."""

    def __init__(self, function: str, environ: dict[str, str]) -> None:
        path = ROOT / "functions" / function / "app.py"
        done = subprocess.run(
            [sys.executable, "-c", IMPORT_HANDLER, str(path)],
            env={"PATH": os.defpath, **environ},
            capture_output=True,
            text=True,
            check=True,
        )
        report = json.loads(done.stdout)
        self.modules: list[str] = report["modules"]
        """In the order in which their imports began."""
        self.models: list[str] = report["models"]

    def has(self, package: str) -> bool:
        return any(module == package or module.startswith(f"{package}.") for module in self.modules)


@cache
def in_lambda(function: str) -> Started:
    return Started(function, {**ENVIRONMENT, **IN_LAMBDA})


@pytest.fixture
def receive() -> Started:
    return in_lambda("receive")


@pytest.fixture
def forward() -> Started:
    return in_lambda("forward")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_compiles_most_patterns_is_imported_first(function: str) -> None:
    """At the end of botocore's imports urllib3 takes up to four times as long."""
    modules = in_lambda(function).modules
    assert modules.index("urllib3") < modules.index("botocore")


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("package", UNUSED)
def test_nothing_is_imported_that_no_function_needs(function: str, package: str) -> None:
    assert not in_lambda(function).has(package), UNUSED[package]


def test_receive_imports_nothing_of_the_other_functions(receive: Started) -> None:
    assert receive.has("trailhook.receive")
    others = ("integration", "forward", "deliver", "cloudtrail_lake", "mapping", "quarantine", "ledger")
    assert not [name for name in others if receive.has(f"trailhook.{name}")]


def test_forward_imports_nothing_of_the_other_functions(forward: Started) -> None:
    assert forward.has("trailhook.forward")
    others = ("integration", "receive", "webhook_secret", "secrets_manager")
    assert not [name for name in others if forward.has(f"trailhook.{name}")]


def test_integration_imports_nothing_of_the_other_functions() -> None:
    integration = in_lambda("integration")
    assert integration.has("trailhook.integration.deploy")
    others = ("receive", "forward", "partners", "queue", "envelope", "cloudtrail_lake", "proofs")
    assert not [name for name in others if integration.has(f"trailhook.{name}")]


def test_only_the_partner_of_the_stack_is_loaded(receive: Started) -> None:
    partners = {name for name in receive.modules if name.startswith("trailhook.partners.")}
    assert partners == {"trailhook.partners.github"}
    assert not receive.has("trailhook.descriptor"), "a partner that is written in Python needs no descriptor"


def test_a_described_partner_is_loaded_without_those_written_in_python() -> None:
    receive = Started("receive", {**ENVIRONMENT, **IN_LAMBDA, "PARTNER": "slack"})
    assert receive.has("trailhook.descriptor")
    assert not [name for name in receive.modules if name.startswith("trailhook.partners.")]


def test_receive_loads_the_models_of_the_two_services_it_calls(receive: Started) -> None:
    assert receive.models == ["secretsmanager", "sqs"]


def test_forward_loads_s3s_model_only_when_something_is_quarantined(forward: Started) -> None:
    assert forward.models == ["cloudtrail-data", "sqs"]


@pytest.mark.parametrize("function", ["receive", "forward"])
def test_outside_lambda_an_import_makes_no_client(function: str) -> None:
    assert Started(function, ENVIRONMENT).models == []


@pytest.mark.parametrize("function", ["receive", "forward"])
def test_settings_that_are_wrong_do_not_stop_the_import(function: str) -> None:
    """The first invocation reports them: receive as a 503, forward as an error that brings the batch back."""
    assert Started(function, {**IN_LAMBDA, "PARTNER": "github"}).has(f"trailhook.{function}")
