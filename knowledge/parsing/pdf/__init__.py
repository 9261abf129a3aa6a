"""PDF: the text layer of each page, its tables by where the words stand, by pdfium.

It knows pages and places; it does not recognise text in pictures.
"""

from knowledge.parsing.pdf.document import read_pdf

__all__ = ["read_pdf"]
