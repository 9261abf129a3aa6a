"""A base model and an adapter become one base model."""

from adapters.merging.run import MergedModel, merge_adapter

__all__ = ["MergedModel", "merge_adapter"]
