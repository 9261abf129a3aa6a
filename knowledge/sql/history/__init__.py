"""SQL about what happened to documents: kept versions, syncs, use, and what has to be erased."""
