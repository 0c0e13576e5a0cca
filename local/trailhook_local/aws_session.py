"""AWS as an operator's command asks it: clients with the operator's own credentials, and what their refusals mean."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from botocore.parsers import ResponseParserError

_IMPATIENT = Config(connect_timeout=5, read_timeout=20)
"""An operator waits at the screen: each try of boto3's own would take a minute."""

_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id")
"""Each answer of AWS has one of these headers."""

_EXPIRED = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException"),
        *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken"),
    }
)
"""Error codes for credentials that have expired, or never were valid."""

_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
_OF_ANOTHER_TIME = ("Signature expired", "Signature not yet current")
"""Error codes for a clock that is wrong, and the beginning of the message from services that have no such code: most
say no more than that the signature does not fit."""

ClientFactory = Callable[[str], Any]
"""Makes the boto3 client of a service."""


class SessionError(Exception):
    """Credentials or a setting cannot be used; the message says which to look at."""


REFUSALS = (SessionError, BotoCoreError, ClientError, ResponseParserError)
"""What asking a service can end in."""


def explain(error: Exception) -> str:
    """What went wrong; if that is only a setting of the caller's, which one."""
    match error:
        case NoRegionError():
            return "no Region is configured: name the stack's with --region, or in AWS_REGION"
        case NoCredentialsError():
            return "no credentials are configured: set them as for the AWS CLI"
        case ResponseParserError():
            return (
                "what answered is not AWS: is AWS_ENDPOINT_URL set, or a proxy in between? For the local stack say "
                "--local"
            )
        case _:
            return str(error)


def remedy(error: BaseException | None) -> str:
    """What to do where a service has refused the credentials as such, or the time of a request; else an empty text.

    The error may be one of ours that came of such a refusal.
    """
    if not isinstance(error, ClientError):
        return remedy(error.__cause__) if error else ""
    told = error.response["Error"]
    if told["Code"] in _EXPIRED:
        return "sign in again, and run it again"
    if told["Code"] in _SKEWED or told.get("Message", "").startswith(_OF_ANOTHER_TIME):
        return "set this machine's clock, and run it again"
    return ""


@cache
def aws(region: str | None) -> ClientFactory:
    """Clients with the operator's own credentials and endpoints, as the AWS CLI finds them.

    Raises SessionError if the credentials cannot be had: the program that supplies them fails, a file with a token is
    missing, or nobody can type the code that they need. So does making a client if a setting, such as its endpoint,
    makes no sense. An answer that does not come from AWS raises ResponseParserError.
    """
    session: Any = boto3.Session(region_name=region)
    _sign_in(session)

    def client(service: str) -> Any:
        try:
            made = session.client(service, config=_IMPATIENT)
        except BotoCoreError:
            raise  # Some are ValueErrors as well, and say what is wrong, such as a Region that is none.
        except ValueError as error:
            raise SessionError(
                f"{error}: in the environment or the profile, is AWS_ENDPOINT_URL a whole URL, like https://…, and "
                "AWS_MAX_ATTEMPTS a number?"
            ) from error
        made.meta.events.register("before-parse", _refuse_pages)
        return made

    return client


def _sign_in(session: Any) -> None:
    """Get the credentials now, in the time that it takes: somebody may have to look for a code."""
    try:
        if credentials := session.get_credentials():
            credentials.get_frozen_credentials()
    except BotoCoreError:
        raise  # Some are OSErrors as well.
    except OSError as error:
        raise SessionError(
            f"a program or file that supplies the credentials cannot be used ({error}): look at credential_process "
            "and web_identity_token_file in the profile of your AWS configuration, and at AWS_…_TOKEN_FILE in the "
            "environment"
        ) from error
    except EOFError as error:
        raise SessionError("the credentials need a code that nobody is here to type: sign in first") from error
    except ValueError as error:  # of JSON, a moment or a command line: botocore reads them without a word
        raise SessionError(
            f"what supplies the credentials makes no sense ({error}): look at credential_process in the profile of "
            "your AWS configuration, at AWS_ENDPOINT_URL, whether AWS_MAX_ATTEMPTS and AWS_METADATA_SERVICE_… are "
            "numbers, and whether you have to sign in first"
        ) from error


def _refuse_pages(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Without this, botocore would read the page of a proxy as an empty list of S3's objects."""
    if response_dict["status_code"] < 300 and not any(name in response_dict["headers"] for name in _REQUEST_IDS):
        raise ResponseParserError("an answer without a request id")
