"""Files and folders on disk: weights, digests, archives, and the rename that ends each writing."""
