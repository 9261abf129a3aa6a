"""How much a key and a tenant may use: requests, tokens, streams, uploaded bytes, jobs."""
