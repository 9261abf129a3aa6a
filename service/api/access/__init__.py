"""Who sends a request, and what of the request that lets pass."""
