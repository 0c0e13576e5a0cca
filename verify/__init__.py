"""`make verify-aws`: asks AWS itself what docs/unverified.md leaves open, in an account that uses CloudTrail Lake."""
