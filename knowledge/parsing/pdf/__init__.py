"""PDF: the text layer of each page, its tables by where the words stand, by pdfium.

It knows pages and places; text in pictures comes in, recognised (`recognition`).
"""

from knowledge.parsing.pdf.document import read_pdf, read_recognised

__all__ = ["read_pdf", "read_recognised"]
