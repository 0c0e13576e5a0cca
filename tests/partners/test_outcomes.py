"""What failed or was refused says so, by its partner's own word for it, and nothing else does."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.partners.cases import event_data


def auto_destroy(trigger: str, **details: Any) -> Mapping[str, Any]:
    empty = {"run_created_at": None, "run_status": None, "run_external_id": None, "run_create_error_message": None}
    body = {"payload_version": "2", "trigger_scope": "workspace", "trigger": f"workspace:auto_destroy_{trigger}"}
    return body | {"message": "Auto Destroy", "details": empty | details}


def assessment(trigger: str) -> Mapping[str, Any]:
    body = {"payload_version": "2", "trigger_scope": "assessment", "trigger": f"assessment:{trigger}"}
    return body | {"message": "Checked", "details": {"new_assessment_result": {"created_at": "2025-11-05T08:30:00Z"}}}


@pytest.mark.parametrize(
    ("partner", "body", "code", "message"),
    [
        ("terraform", assessment("failed"), "assessment:failed", "Checked"),
        ("terraform", assessment("check_failure"), "assessment:check_failure", "Checked"),
        ("terraform", assessment("drifted"), None, None),
        ("terraform", auto_destroy("reminder", auto_destroy_at="2026-01-02T00:00:00Z"), None, None),
        ("terraform", auto_destroy("run_results", run_status="applied"), None, None),
        ("terraform", auto_destroy("run_results", run_status="errored"), "errored", "Auto Destroy"),
        ("terraform", auto_destroy("results", run_status="canceled"), "canceled", "Auto Destroy"),
        (
            "terraform",
            auto_destroy("results", run_create_error_message="Configuration version is missing"),
            "RunNotCreated",
            "Configuration version is missing",
        ),
    ],
)
def test_a_failure_is_one_and_says_why(
    partner: str, body: Mapping[str, Any], code: str | None, message: str | None
) -> None:
    data = event_data(partner, body)
    assert (data.get("errorCode"), data.get("errorMessage")) == (code, message)
