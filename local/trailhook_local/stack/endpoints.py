"""Where the local servers listen, as a worker's environment and as boto3 clients for everybody else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.session import Session

# Both local servers take any signature; these only have to be there.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
# The laptop's owner has a configuration for AWS; a profile that is missing, or a file that cannot be read, would end
# every SDK.
NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
# A session's variables as botocore keeps them: name in a file, name in the environment, default, conversion.
_NOBODYS_CONFIGURATION: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True)
class Endpoints:
    """`cloudtrail` is the local CloudTrail Lake, `aws` everything else."""

    aws: str
    cloudtrail: str
    region: str

    def environment(self) -> Mapping[str, str]:
        """What points any AWS SDK, or the AWS CLI, at the local servers."""
        return {
            **CREDENTIALS,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ENDPOINT_URL_CLOUDTRAIL": self.cloudtrail,
            "AWS_ENDPOINT_URL_CLOUDTRAIL_DATA": self.cloudtrail,
            # Looking for a machine's own credentials would reach out of the laptop.
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the local `service`, whatever the caller's own AWS configuration says."""
        session = boto3.Session(
            botocore_session=Session(_NOBODYS_CONFIGURATION),
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=self.region,
        )
        return session.client(
            service,  # type: ignore[call-overload] # the stubs know literals only
            endpoint_url=self.cloudtrail if service.startswith("cloudtrail") else self.aws,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, proxies={}),
        )
