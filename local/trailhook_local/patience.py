"""How long somebody who was paged waits: boto3 by itself would wait for minutes, and try again."""

SECONDS = 20
