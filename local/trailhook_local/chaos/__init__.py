"""The fault harness: whether received = delivered + quarantined + filtered + waiting holds when everything fails.

A round is a small deployment of its own: receive and forward as the functions assemble them, on an SQS, an S3, a
Secrets Manager and a PutAuditEvents in memory that misbehave by a seed, on a clock that nobody waits for. Every event
is known by a serial number from the partner's POST to where it ends.
"""
