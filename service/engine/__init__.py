"""The model server as the service sees it: asked, watched, given adapters."""
