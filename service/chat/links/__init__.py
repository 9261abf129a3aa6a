"""Which addresses an answer may show: `addresses.py` finds them, `answer_links.py` filters."""
