"""A question or an upload that is sent twice under one key is answered once."""
