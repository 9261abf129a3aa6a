"""A tenant deleted or written out as a whole, and a user of one erased, on this home."""
