"""A pipeline file: steps over rows in their order, cached, resumable, with the way of each row."""
