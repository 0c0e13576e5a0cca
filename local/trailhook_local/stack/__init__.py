"""The local stack: API Gateway, Lambda, SQS' event source mapping and their neighbours, without AWS and without Docker.

`stack.Stack` starts it, `status.read_status` finds a running one. Nothing is imported here: every worker process
passes through this file on its way to `worker`.
"""
