"""Forward and the way back go on as they are where an operator locks the quarantine bucket's objects."""

from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.httpsession import URLLib3Session
from tests.partners.cases import delivery
from tests.redrive.conftest import Place

pytestmark = pytest.mark.stack


def test_what_is_written_into_a_locked_bucket_can_be_kept_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 takes an object with a retention period only with a checksum ("Object Lock considerations")."""
    written: list[AWSPreparedRequest] = []
    send = URLLib3Session.send

    def record(session: URLLib3Session, request: AWSPreparedRequest) -> Any:
        if request.method == "PUT":
            written.append(request)
        return send(session, request)

    place.s3.put_object_lock_configuration(
        Bucket=place.resources.bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}},
        },
    )
    monkeypatch.setattr(URLLib3Session, "send", record)
    place.queue(delivery("github", b"not JSON"))
    for _ in range(2):  # the second time an object of the same name, as what is refused once more is written anew
        place.forward()
        assert "1 of 1 quarantined events sent" in place.redrive("quarantine").stdout
    assert len(written) == 4
    assert all("x-amz-checksum-crc32" in request.headers for request in written)
    versions = place.s3.list_object_versions(Bucket=place.resources.bucket)
    assert len(versions["Versions"]) == 4
    assert "DeleteMarkers" not in versions
