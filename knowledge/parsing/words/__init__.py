"""What words have in common in every format: links, signs, pictures as letters, comments.

It knows text; it does not know any format's markup but Markdown's.
"""
