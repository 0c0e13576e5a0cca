"""What a stock SAM CLI makes of the template: valid, built anywhere, and with no permission of SAM's own added."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.build.conftest import Build, Run

pytestmark = [pytest.mark.build, pytest.mark.timeout(600)]

TRANSLATE = """
import json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

template = yaml_parse(open(sys.argv[1], encoding="utf-8").read())
for resource in template["Resources"].values():
    for uri in {"CodeUri", "ContentUri"} & set(resource.get("Properties", {})):
        resource["Properties"][uri] = "s3://bucket/key"
parameters = {"Partner": "okta"}
print(json.dumps(Translator({}, Parser()).translate(template, {**parameters, **json.loads(sys.argv[2])})))
"""

ADDED_BY_SAM = {
    "HttpApi": "AWS::ApiGatewayV2::Api",
    "HttpApiApiGatewayDefaultStage": "AWS::ApiGatewayV2::Stage",
    "ReceiveFunction": "AWS::Lambda::Function",
    "ReceiveFunctionAnyRequestPermission": "AWS::Lambda::Permission",
    "ForwardFunction": "AWS::Lambda::Function",
    "IntegrationFunction": "AWS::Lambda::Function",
    "IntegrationFunctionEventInvokeConfig": "AWS::Lambda::EventInvokeConfig",
    "ForwardFunctionDeliveries": "AWS::Lambda::EventSourceMapping",
}


@pytest.fixture(scope="module", params=["PassThrough", "Active"])
def transformed(request: pytest.FixtureRequest, sam_python: Path, checkout: Path, run: Run) -> Mapping[str, Any]:
    """The template as CloudFormation would see it after the SAM transform, without and with tracing."""
    parameters = json.dumps({"Tracing": request.param})
    done = run([sam_python, "-c", TRANSLATE, checkout / "template.yaml", parameters], checkout)
    assert done.returncode == 0, done.stderr
    document: Mapping[str, Any] = json.loads(done.stdout)
    return document


def test_the_template_passes_sams_validation_and_cfn_lint(sam: Path, checkout: Path, run: Run) -> None:
    done = run([sam, "validate", "--lint"], checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a valid SAM Template" in done.stdout


def test_the_application_builds_from_a_fresh_checkout(build: Build) -> None:
    assert "Build Succeeded" in build.output
    assert build.template.exists()


def test_a_second_build_comes_from_the_cache(build: Build, sam: Path, checkout: Path, run: Run) -> None:
    again = run([sam, "build"], checkout)
    assert again.returncode == 0, again.stderr
    assert "Valid cache found" in again.stdout + again.stderr


def test_sam_adds_no_managed_policy_and_no_role(transformed: Mapping[str, Any]) -> None:
    assert "ManagedPolicyArns" not in json.dumps(transformed)
    roles = {name for name, resource in transformed["Resources"].items() if resource["Type"] == "AWS::IAM::Role"}
    assert roles == {"ReceiveRole", "ForwardRole", "IntegrationRole"}


@pytest.mark.parametrize("function", ["Receive", "Forward", "Integration"])
def test_a_function_takes_the_role_that_was_written_for_it(transformed: Mapping[str, Any], function: str) -> None:
    role = transformed["Resources"][f"{function}Function"]["Properties"]["Role"]
    assert role == {"Fn::GetAtt": [f"{function}Role", "Arn"]}


def test_sam_adds_nothing_but_what_the_events_and_the_api_need(
    transformed: Mapping[str, Any], sam_python: Path, checkout: Path, run: Run
) -> None:
    load = "import json, sys; from samcli.yamlhelper import yaml_parse; "
    load += "print(json.dumps(list(yaml_parse(open(sys.argv[1], encoding='utf-8').read())['Resources'])))"
    written = set(json.loads(run([sam_python, "-c", load, checkout / "template.yaml"], checkout).stdout))
    types = {name: resource["Type"] for name, resource in transformed["Resources"].items()}
    layers = [name for name, kind in types.items() if kind == "AWS::Lambda::LayerVersion"]
    assert len(layers) == 1
    added = {name: kind for name, kind in types.items() if name not in written - set(ADDED_BY_SAM) - set(layers)}
    assert added == {**ADDED_BY_SAM, layers[0]: "AWS::Lambda::LayerVersion"}


def where_there_is_an_endpoint(value: Mapping[str, Any]) -> Any:
    """What SAM wraps into the function's condition; a partner that delivers by itself has no endpoint."""
    condition, then, otherwise = value["Fn::If"]
    assert (condition, otherwise) == ("Webhook", {"Ref": "AWS::NoValue"})
    return then


@pytest.mark.parametrize("name", sorted(name for name in ADDED_BY_SAM if not name.startswith("IntegrationFunction")))
def test_what_sam_adds_to_the_endpoint_is_left_out_with_it(transformed: Mapping[str, Any], name: str) -> None:
    assert transformed["Resources"][name]["Condition"] == "Webhook"


def test_the_one_route_takes_every_method_and_path(transformed: Mapping[str, Any]) -> None:
    api = transformed["Resources"]["HttpApi"]["Properties"]
    assert list(api["Body"]["paths"]) == ["/$default"]
    assert "x-amazon-apigateway-cors" not in json.dumps(api)
    (method,) = where_there_is_an_endpoint(api["Body"]["paths"]["/$default"]).values()
    method = where_there_is_an_endpoint(method)
    assert method["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0"


def test_the_event_source_mapping_keeps_its_settings(transformed: Mapping[str, Any]) -> None:
    mapping = transformed["Resources"]["ForwardFunctionDeliveries"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}}
