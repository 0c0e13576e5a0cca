"""The custom resource `Custom::CloudTrailIntegration`: the console's *Add integration* page as code, and its way back.

request, response      CloudFormation's side: what it asks for, and the one answer it gets
properties, catalogue  what an operator may ask for, and the rules that are checked before the first AWS call
ownership              whose a channel or an event data store is, proven by tags
control_plane          CloudTrail's side: calls that wait out throttles and conflicts within the time there is
destinations, stores, channels, tagging, removal, leftovers, undo   the steps that `deploy` and `withdraw` put together
"""
