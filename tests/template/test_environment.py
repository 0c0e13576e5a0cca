"""The functions' environment: the names that the code reads, each where it is read, and none that `sam local` drops."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.template.conftest import CHANNEL_ARN, EVENT_DATA_STORE_ARN, SECRET_ARN

from trailhook.errors import SettingsError
from trailhook.settings import ForwardSettings, ReceiveSettings
from trailhook_local.stack.template import Template

SHARED = {"POWERTOOLS_SERVICE_NAME", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"}
NAMES = {
    "ReceiveFunction": {
        "PARTNER",
        "DELIVERY_QUEUE_URL",
        "WEBHOOK_SECRET_ARN",
        "ROTATION_GRACE_HOURS",
        "ACCEPT_HEC",
        "ALLOWED_SOURCE_RANGES",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    },
    "ForwardFunction": {
        "PARTNER",
        "DELIVERY_QUEUE_URL",
        "DEAD_LETTER_QUEUE_URL",
        "CHANNEL_ARN",
        "EXTERNAL_ID",
        "QUARANTINE_BUCKET",
        "EXCLUDE_EVENTS",
        "REQUEST_RATE",
        "MAXIMUM_CONCURRENCY",
        "EVENT_SOURCE",
        "REDACT",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_CLOUDTRAIL_DATA",
    },
    "IntegrationFunction": {"AWS_ENDPOINT_URL_CLOUDTRAIL"},
}


def environment(template: Template, function: str) -> dict[str, str]:
    """What Lambda hands to the function; numbers arrive as text."""
    sources = (template.document["Globals"]["Function"], template.document["Resources"][function]["Properties"])
    merged: dict[str, Any] = {}
    for source in sources:
        merged |= template.resolve(source["Environment"]["Variables"])
    return {name: str(value) for name, value in merged.items()}


@pytest.mark.parametrize("function", NAMES)
def test_a_function_gets_exactly_the_variables_it_needs(deploy: Callable[..., Template], function: str) -> None:
    assert set(environment(deploy(), function)) == NAMES[function] | SHARED


@pytest.mark.parametrize("function", NAMES)
def test_endpoints_are_declared_but_empty_so_that_they_mean_aws(deploy: Callable[..., Template], function: str) -> None:
    endpoints = {k: v for k, v in environment(deploy(), function).items() if k.startswith("AWS_ENDPOINT_URL")}
    assert len(endpoints) >= 3
    assert set(endpoints.values()) == {""}


def test_receive_understands_the_defaults(deploy: Callable[..., Template]) -> None:
    settings = ReceiveSettings.from_environ(environment(deploy(), "ReceiveFunction"))
    assert settings.partner == "okta"
    assert settings.webhook_secret_arn == SECRET_ARN
    assert settings.rotation_grace_hours == 24
    assert settings.options.accept_hec is False
    assert settings.allowed_source_ranges.hold("192.0.2.10")


def test_receive_understands_what_an_operator_may_set(deploy: Callable[..., Template]) -> None:
    ranges = "192.0.2.0/24,2001:db8::/32"
    template = deploy(Partner="github", AcceptHec="true", RotationGraceHours="0", AllowedSourceRanges=ranges)
    settings = ReceiveSettings.from_environ(environment(template, "ReceiveFunction"))
    assert settings.options.accept_hec is True
    assert settings.rotation_grace_hours == 0
    held = [settings.allowed_source_ranges.hold(one) for one in ("192.0.2.10", "2001:db8::1", "198.51.100.1")]
    assert held == [True, True, False]


def test_forward_understands_the_defaults(deploy: Callable[..., Template]) -> None:
    settings = ForwardSettings.from_environ(environment(deploy(), "ForwardFunction"))
    assert settings.delivery_queue_url == "https://sqs.example/delivery"
    assert settings.dead_letter_queue_url == "https://sqs.example/dead-letters"
    assert settings.quarantine_bucket == "quarantine-bucket"
    assert settings.channel_arn == CHANNEL_ARN
    assert settings.account_id == "111122223333"
    assert settings.external_id is None
    assert settings.exclude_events == ()
    assert settings.requests_per_second == 50
    assert settings.options.event_source is None


def test_forward_understands_what_an_operator_may_set(deploy: Callable[..., Template]) -> None:
    template = deploy(
        Partner="custom",
        ExternalId="trailhook-4711",
        ExcludeEvents="push,workflow_*",
        MaximumConcurrency="8",
        RequestRate="20",
        EventSource="payroll.example.com",
    )
    settings = ForwardSettings.from_environ(environment(template, "ForwardFunction"))
    assert settings.external_id == "trailhook-4711"
    assert settings.exclude_events == ("push", "workflow_*")
    assert settings.requests_per_second == 2.5
    assert settings.options.event_source == "payroll.example.com"


def test_what_has_a_default_need_not_be_set() -> None:
    shared = {"PARTNER": "okta", "DELIVERY_QUEUE_URL": "https://sqs.example/delivery"}
    receive = ReceiveSettings.from_environ(shared | {"WEBHOOK_SECRET_ARN": SECRET_ARN})
    assert (receive.rotation_grace_hours, receive.patience_seconds) == (24, 2)
    needed = shared | {"CHANNEL_ARN": CHANNEL_ARN, "QUARANTINE_BUCKET": "bucket"}
    forward = ForwardSettings.from_environ(needed)
    assert (forward.dead_letter_queue_url, forward.external_id, forward.requests_per_second) == (None, None, None)
    assert ForwardSettings.from_environ(needed | {"DEAD_LETTER_QUEUE_URL": "", "EXTERNAL_ID": ""}) == forward


def test_blanks_between_words_and_the_case_of_a_flag_make_no_difference() -> None:
    shared = {"PARTNER": "okta", "DELIVERY_QUEUE_URL": "https://sqs.example/delivery", "ACCEPT_HEC": "True"}
    ranges = {"WEBHOOK_SECRET_ARN": SECRET_ARN, "ALLOWED_SOURCE_RANGES": " 192.0.2.0/24, 2001:db8::/32 "}
    receive = ReceiveSettings.from_environ(shared | ranges)
    assert receive.options.accept_hec is True
    held = [receive.allowed_source_ranges.hold(one) for one in ("192.0.2.10", "2001:db8::1", "198.51.100.1")]
    assert held == [True, True, False]
    needed = {"CHANNEL_ARN": CHANNEL_ARN, "QUARANTINE_BUCKET": "bucket", "EXCLUDE_EVENTS": " push , workflow_* "}
    assert ForwardSettings.from_environ(shared | needed).exclude_events == ("push", "workflow_*")


def test_a_forwarder_of_which_nobody_says_how_many_there_are_has_all_requests_for_itself() -> None:
    environ = {"PARTNER": "okta", "DELIVERY_QUEUE_URL": "https://sqs.example/delivery", "REQUEST_RATE": "20"}
    needed = {"CHANNEL_ARN": CHANNEL_ARN, "QUARANTINE_BUCKET": "bucket"}
    assert ForwardSettings.from_environ(environ | needed).requests_per_second == 20


REFUSED = [
    ("ReceiveFunction", "DELIVERY_QUEUE_URL", ""),
    ("ReceiveFunction", "WEBHOOK_SECRET_ARN", ""),
    ("ReceiveFunction", "PATIENCE_SECONDS", "0"),
    ("ReceiveFunction", "ROTATION_GRACE_HOURS", "-1"),
    ("ReceiveFunction", "ROTATION_GRACE_HOURS", "inf"),
    ("ReceiveFunction", "ROTATION_GRACE_HOURS", "nan"),
    ("ReceiveFunction", "ACCEPT_HEC", "yes"),
    ("ForwardFunction", "PARTNER", ""),
    ("ForwardFunction", "DELIVERY_QUEUE_URL", ""),
    ("ForwardFunction", "QUARANTINE_BUCKET", ""),
    ("ForwardFunction", "CHANNEL_ARN", ""),
    ("ForwardFunction", "CHANNEL_ARN", EVENT_DATA_STORE_ARN),
    ("ForwardFunction", "CHANNEL_ARN", f"{CHANNEL_ARN} "),
    ("ForwardFunction", "CHANNEL_ARN", CHANNEL_ARN.replace("111122223333", "1111222233334")),
    ("ForwardFunction", "EXTERNAL_ID", "x"),
    ("ForwardFunction", "EXTERNAL_ID", "with a blank"),
]


@pytest.mark.parametrize(("function", "name", "value"), REFUSED)
def test_a_variable_that_is_missing_or_makes_no_sense_is_refused_by_its_name(
    deploy: Callable[..., Template], function: str, name: str, value: str
) -> None:
    read: Callable[[Mapping[str, str]], object] = (
        ReceiveSettings.from_environ if function == "ReceiveFunction" else ForwardSettings.from_environ
    )
    with pytest.raises(SettingsError, match=f"^{name}\\b"):
        read(environment(deploy(), function) | {name: value})


def test_an_event_source_that_a_stack_of_another_partner_has_left_stops_nothing(
    deploy: Callable[..., Template],
) -> None:
    environ = environment(deploy(Partner="okta"), "ForwardFunction") | {"EVENT_SOURCE": "none of anybody's"}
    assert ForwardSettings.from_environ(environ).options.event_source is None


LAMBDAS_ROOM = 4_096
LONGEST = {
    "POWERTOOLS_SERVICE_NAME": 128,
    "DELIVERY_QUEUE_URL": 110,
    "DEAD_LETTER_QUEUE_URL": 125,
    "QUARANTINE_BUCKET": 63,
}
"""What a deployed stack may have there, where the names of these tests are shorter."""


def test_forwards_environment_has_the_room_that_is_told(
    document: Mapping[str, Any], deploy: Callable[..., Template]
) -> None:
    fixed = environment(deploy(Partner="custom", EventSource="e" * 256), "ForwardFunction")
    quoted = sum(len(name) + max(len(value), LONGEST.get(name, 0)) + len('"":"",') for name, value in fixed.items())
    assert quoted + 2_900 <= LAMBDAS_ROOM
    for name in ("ExcludeEvents", "Redact", "ExternalId"):
        assert "2900 characters" in document["Parameters"][name]["Description"]


def test_the_functions_run_on_the_runtime_that_the_layer_is_built_for(document: Mapping[str, Any]) -> None:
    shared, resources = document["Globals"]["Function"], document["Resources"]
    layer = resources["TrailhookLayer"]
    assert layer["Metadata"] == {"BuildMethod": "makefile"}
    assert layer["Properties"]["CompatibleRuntimes"] == [shared["Runtime"]]
    assert layer["Properties"]["CompatibleArchitectures"] == document["Parameters"]["Architecture"]["AllowedValues"]
    assert shared["Layers"] == [{"Ref": "TrailhookLayer"}]
    assert shared["Architectures"] == [{"Ref": "Architecture"}]


def test_traces_follow_the_parameter(document: Mapping[str, Any]) -> None:
    assert document["Globals"]["Function"]["Tracing"] == {"Ref": "Tracing"}
