"""The custom resource `Custom::CloudTrailIntegration`: the console's *Add integration* page as code, and its way back.

request, response      CloudFormation's side: what it asks for, and the one answer it gets
resource, budget       one request fulfilled or failed, within the invocation's time
properties, tag_properties, catalogue   what may be asked for, and the rules that are checked before the first AWS call
ownership              whose a channel or an event data store is, proven by tags
control_plane, advice  CloudTrail's side: calls that wait out throttles and conflicts, and what its refusals mean
inventory              what CloudTrail tells of a channel or an event data store, and what keeps a store
deploy, withdraw       Create and Update; Delete
destinations, stores, channels, policy, tagging, creation, removal, leftovers, undo   the steps that both are made of
"""
