"""Descriptors as people write them: YAML, checked line by line, and compiled to what the functions load."""
