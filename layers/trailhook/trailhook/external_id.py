"""What an external ID looks like. One form for both: forward must be able to send what the channel's policy asks for.

AWS page: "PutAuditEvents", CloudTrail Data Service API Reference.
"""

import re

EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
