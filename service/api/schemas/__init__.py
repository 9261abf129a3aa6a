"""The bodies of requests and replies, one file per noun: pydantic only, no HTTP."""
