"""PowerPoint: slides in order, their shapes, and what stands before a paragraph.

`deck` reads a file; it knows nothing of Word.
"""
