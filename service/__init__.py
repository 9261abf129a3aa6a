"""How does a request become an answer? The room that joins the others and speaks HTTP."""

__all__: list[str] = []
