"""Trailhook brings the audit events of any SaaS partner into AWS CloudTrail Lake."""

__version__ = "0.1.0"
