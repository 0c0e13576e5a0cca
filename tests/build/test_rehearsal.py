"""The integration as it was built, deployed without AWS: the template's own properties, the function's own folder, the
layer's own libraries, CloudFormation's rules and a local Lake.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.build.conftest import Build, environment
from tests.integration.cloudformation import Answer, Bucket, CloudFormation, serving_bucket
from tests.integration.conftest import Account

from trailhook_local.lake import LakeServer
from trailhook_local.lake_query import query_lake
from trailhook_local.stack.template import Template, load_document

pytestmark = [pytest.mark.build, pytest.mark.timeout(600)]

REGION = "us-east-1"
INVOKE = """
import importlib.util, json, sys, time
layer, path, seconds = sys.argv[1:]
if sys.version_info[:2] != (3, 13):
    import msgspec  # the layer's is compiled for the runtime alone
sys.path[:] = [layer, *(path for path in sys.path if "site-packages" not in path)]
spec = importlib.util.spec_from_file_location("app", path)
app = importlib.util.module_from_spec(spec)
spec.loader.exec_module(app)
ends = time.monotonic() + float(seconds)
class Context:
    log_group_name, log_stream_name = "/aws/lambda/integration", "stream"
    get_remaining_time_in_millis = staticmethod(lambda: int((ends - time.monotonic()) * 1000))
app.handler(json.load(sys.stdin), Context)
"""

Parameters = Mapping[str, str]


class Deployment:
    """A stack of the built template. Its parameters become the custom resource's properties, as on AWS."""

    def __init__(self, build: Build, python: str, lake: LakeServer, bucket: Bucket, name: str) -> None:
        self._build = build
        self._python = python
        self._document = load_document(build.template)
        self._lake = lake
        self._function = self._document["Resources"]["IntegrationFunction"]["Properties"]
        self.stack = CloudFormation(self._invoke, bucket, name=name)
        self.output = ""

    def template(self, parameters: Parameters, data: Mapping[str, Any] | None = None) -> Template:
        pseudo = {
            "AWS::AccountId": "111122223333",
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackId": self.stack.stack_id,
            "AWS::StackName": self.stack.stack_id.split("/")[1],
        }
        template = Template(self._document, parameters, pseudo)
        template.fill({"IntegrationFunction": {"Arn": f"arn:aws:lambda:{REGION}:function"}})
        if data:
            template.fill({"Integration": {"Ref": self.stack.physical_id, **data}})
        return template

    def create(self, **parameters: str) -> Answer:
        return self.stack.create(self._properties(parameters))

    def update(self, *, another_resource_fails: bool = False, **parameters: str) -> Answer:
        return self.stack.update(self._properties(parameters), another_resource_fails=another_resource_fails)

    def _properties(self, parameters: Parameters) -> dict[str, Any]:
        template = self.template(parameters)
        resource = template.document["Resources"]["Integration"]
        assert resource["Type"] == "Custom::CloudTrailIntegration"
        properties: dict[str, Any] = template.resolve(resource["Properties"])
        # CloudFormation hands numbers over as text.
        return {name: value if isinstance(value, (dict, list)) else str(value) for name, value in properties.items()}

    def _invoke(self, event: dict[str, Any], context: Any) -> None:
        """In a process that sees the layer and the function's folder, but nothing that is installed here."""
        module, _, handler = self._document["Globals"]["Function"]["Handler"].partition(".")
        assert handler == "handler"
        assert self._function["Environment"]["Variables"]["AWS_ENDPOINT_URL_CLOUDTRAIL"] == ""
        path = (self._build.template.parent / self._function["CodeUri"] / f"{module}.py").resolve()
        variables = {
            "AWS_ENDPOINT_URL_CLOUDTRAIL": self._lake.url,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEFAKEOWNER",
            "AWS_SECRET_ACCESS_KEY": "fake",
            "AWS_DEFAULT_REGION": REGION,
            "POWERTOOLS_SERVICE_NAME": "trailhook-rehearsal",
        }
        seconds = min(context.seconds, self._function["Timeout"])
        done = subprocess.run(
            [self._python, "-I", "-B", "-c", INVOKE, str(self._build.layer), str(path), str(seconds)],
            input=json.dumps(event),
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )
        self.output += done.stdout + done.stderr
        assert done.returncode == 0, done.stderr


@pytest.fixture
def lake() -> Iterator[LakeServer]:
    with LakeServer(account="111122223333", region=REGION) as server:
        yield server


@pytest.fixture
def account(lake: LakeServer) -> Iterator[Account]:
    owner = Account(lake.url)
    yield owner
    owner.cloudtrail.close()


@pytest.fixture
def deploy(build: Build, runtime_python: str | None, lake: LakeServer) -> Iterator[Callable[[str], Deployment]]:
    with serving_bucket() as bucket:
        yield lambda name: Deployment(build, runtime_python or sys.executable, lake, bucket, name)


Deploy = Callable[[str], Deployment]


def test_a_stack_is_created_changed_replaced_rolled_back_and_deleted(deploy: Deploy, account: Account) -> None:
    audit = deploy("trailhook-audit")

    made = audit.create(Partner="github")
    assert made.succeeded, made.reason
    (store,) = made.data["EventDataStoreArns"]
    channel = account.cloudtrail.get_channel(Channel=made.physical_id)
    assert (channel["Name"], channel["Source"]) == ("trailhook-audit", "GitHub")

    changed = audit.update(Partner="github", RetentionPeriodDays="731", Tags="team=security", ChannelName="audit")
    assert changed.physical_id == made.physical_id
    assert account.tags(store)["team"] == "security"
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["RetentionPeriod"] == 731

    replaced = audit.update(Partner="okta", RetentionPeriodDays="731", ChannelName="audit")
    assert replaced.succeeded, replaced.reason
    assert replaced.physical_id != made.physical_id
    assert replaced.data["EventDataStoreArns"] == [store]
    assert account.channels() == [replaced.physical_id]

    occupied = account.channel(account.store(), source="GitHub")
    before = account.snapshot()
    failed = audit.update(Partner="github", RetentionPeriodDays="731", ChannelName="audit")
    assert not failed.succeeded
    assert occupied in failed.reason
    assert account.snapshot() == before

    audit.update(Partner="okta", RetentionPeriodDays="731", ChannelName="other", another_resource_fails=True)
    assert account.snapshot() == before

    assert audit.stack.delete().succeeded
    assert account.channels() == [occupied]
    assert store in account.living_stores(), "the evidence is kept"
    assert "FakeSignature" not in audit.output, "whoever knows the response URL can answer in our name"


def test_a_create_that_fails_leaves_nothing(deploy: Deploy, account: Account) -> None:
    occupied = account.channel(account.store(), source="OktaSystemLogEvents")
    before = account.snapshot()
    answer = deploy("trailhook-okta").create(Partner="okta")
    assert not answer.succeeded
    assert f"set ChannelArn to {occupied}" in answer.reason
    assert account.snapshot() == before
    assert len(account.stores()) == 1


def test_a_second_custom_sender_shares_the_first_ones_channel(deploy: Deploy, account: Account) -> None:
    first, second = deploy("trailhook-payroll"), deploy("trailhook-doors")
    channel = first.create(Partner="custom").physical_id
    shared = second.create(Partner="custom", ChannelArn=channel)
    assert shared.physical_id == channel
    assert "trailhook-doors" in first.stack.delete().reason
    assert second.stack.delete().succeeded
    assert first.stack.delete().succeeded
    assert not account.channels()


def test_a_partner_that_delivers_by_itself_is_let_in_by_the_policy(deploy: Deploy, account: Account) -> None:
    clumio = deploy("trailhook-clumio")
    made = clumio.create(Partner="clumio", PrincipalAccountIds="444455556666,777788889999", ExternalId="fake-id")
    assert made.data["IntegrationType"] == "direct"
    (statement,) = json.loads(account.policy(made.physical_id) or "")["Statement"]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"]}
    assert statement["Condition"] == {"StringEquals": {"cloudtrail:ExternalId": "fake-id"}}
    assert clumio.stack.delete().succeeded
    assert not account.channels()


def test_what_the_answer_holds_fills_in_what_the_template_takes_from_it(deploy: Deploy, account: Account) -> None:
    audit = deploy("trailhook-audit")
    parameters = {"Partner": "github"}
    made = audit.create(**parameters)
    template = audit.template(parameters, made.data)
    forward = template.document["Resources"]["ForwardFunction"]["Properties"]["Environment"]["Variables"]
    assert template.resolve(forward["CHANNEL_ARN"]) == made.physical_id
    outputs = template.document["Outputs"]
    assert template.resolve(outputs["ChannelArn"]["Value"]) == made.physical_id
    assert template.resolve(outputs["EventDataStoreArns"]["Value"]) == made.data["EventDataStoreArns"][0]
    query = template.resolve(outputs["QueryCommand"]["Value"])
    (statement,) = [part for part in query.split('"') if part.startswith("SELECT")]
    assert not query_lake(account.cloudtrail, statement)
