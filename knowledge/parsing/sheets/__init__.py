"""Excel: a workbook as its sheets, their tables and lines, each cell as Excel shows it.

It knows Office's parts of a workbook; it does not know other formats.
"""

from knowledge.parsing.sheets.workbook import read_sheets

__all__ = ["read_sheets"]
