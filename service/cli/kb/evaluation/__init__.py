"""`fingerpost kb eval`: retrieval measured on labelled questions."""

from service.cli.kb.evaluation.command import evaluate

__all__ = ["evaluate"]
