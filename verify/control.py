"""What CloudTrail and SQS do around channels, event data stores and dead letters. The last two probes delete ours."""

import json

from botocore.exceptions import ClientError

from verify.probe import Answer, Fit, Probe, fitting, required
from verify.workbench import ACCEPTED, Workbench, error_code


def one_channel_per_source(bench: Workbench) -> Answer:
    return _second_channel(bench, f"{bench.name}-second", bench.source)


def unique_channel_names(bench: Workbench) -> Answer:
    return _second_channel(bench, bench.name, bench.free_sources()[0])


def _second_channel(bench: Workbench, name: str, source: str) -> Answer:
    try:
        second = bench.make_channel(name, source)
    except ClientError as error:
        if "AlreadyExists" not in error_code(error):
            raise
        return Answer(error_code(error), Fit.ASSUMED)
    bench.cloudtrail.delete_channel(Channel=second)
    return Answer("a second one is made", Fit.SAFE)


def rename_channel(bench: Workbench) -> Answer:
    bench.cloudtrail.update_channel(Channel=bench.channel, Name=f"{bench.name}-renamed")
    code = bench.put([bench.event()])
    return required(f"renamed; an event at once: {code}", holds=code == ACCEPTED)


def external_id_of_the_owner(bench: Workbench) -> Answer:
    statement = {
        "Sid": "Verify",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{bench.account_id}:root"},
        "Action": "cloudtrail-data:PutAuditEvents",
        "Resource": bench.channel,
        "Condition": {"StringEquals": {"cloudtrail:ExternalId": "verify-4711"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bench.cloudtrail.put_resource_policy(ResourceArn=bench.channel, ResourcePolicy=policy)
    try:
        refused = bench.until(lambda: bench.put([bench.event()]) != ACCEPTED)
        without = bench.put([bench.event()])
        shown = bench.put([bench.event()], external_id="verify-4711")
    finally:
        bench.cloudtrail.delete_resource_policy(ResourceArn=bench.channel)
    if shown != ACCEPTED:
        return Answer(f"with the external ID: {shown}", Fit.CONTRADICTION)
    return fitting(f"without it: {without}, with it: {shown}", assumed=refused)


def dead_letters_sent_by_a_function(bench: Workbench) -> Answer:
    """A message that SendMessage put among the dead letters, moved with an explicit destination."""
    queue, dead_letters = bench.make_queue(bench.name), bench.make_queue(f"{bench.name}-dead-letters")
    target = {"deadLetterTargetArn": _arn(bench, dead_letters), "maxReceiveCount": 3}
    bench.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(target)})
    bench.sqs.send_message(QueueUrl=dead_letters, MessageBody="parked")
    try:
        bench.sqs.start_message_move_task(SourceArn=_arn(bench, dead_letters), DestinationArn=_arn(bench, queue))
    except ClientError as error:
        return Answer(error_code(error), Fit.CONTRADICTION)
    moved = bench.until(lambda: bool(bench.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")))
    return required("moved" if moved else "the task moves nothing", holds=moved)


def _arn(bench: Workbench, url: str) -> str:
    return bench.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def rename_store_and_unprotect(bench: Workbench) -> Answer:
    try:
        bench.cloudtrail.update_event_data_store(
            EventDataStore=bench.store, Name=f"{bench.name}-renamed", TerminationProtectionEnabled=False
        )
    except ClientError as error:
        return Answer(error_code(error), Fit.SAFE)
    return Answer("both in one call", Fit.ASSUMED)


def delete_channel_then_store(bench: Workbench) -> Answer:
    bench.cloudtrail.delete_channel(Channel=bench.channel)
    seconds = bench.delete_store()
    return fitting(f"taken after {seconds:.0f} s", assumed=seconds <= 30)


def tags_of_a_store_pending_deletion(bench: Workbench) -> Answer:
    try:
        listed = bench.cloudtrail.list_tags(ResourceIdList=[bench.store])["ResourceTagList"]
    except ClientError as error:
        return Answer(error_code(error), Fit.SAFE)
    told = bool(listed and listed[0]["TagsList"])
    return fitting("they are told" if told else "there are none", assumed=told)


PROBES: tuple[Probe[Workbench], ...] = (
    Probe("one-channel", "Is a second channel of a source refused?", "yes", one_channel_per_source),
    Probe("channel-names", "Is a second channel of a name refused?", "yes", unique_channel_names),
    Probe("channel-rename", "Can a channel be renamed while events arrive?", "yes", rename_channel),
    Probe("external-id", "Must the owner show the policy's external ID?", "yes; it does", external_id_of_the_owner),
    Probe(
        "parked-messages",
        "Does a redrive take what a function sent to the dead letters?",
        "yes, with its destination named",
        dead_letters_sent_by_a_function,
    ),
    Probe("store-rename", "Can a store be renamed and unprotected in one call?", "yes", rename_store_and_unprotect),
    Probe(
        "store-deletion",
        "How long is a store's deletion refused after its channel's?",
        "some seconds",
        delete_channel_then_store,
    ),
    Probe("pending-tags", "Are the tags of a store pending deletion told?", "yes", tags_of_a_store_pending_deletion),
)
