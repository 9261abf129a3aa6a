"""The vector index: Chroma behind a protocol, and the check of its folder."""
