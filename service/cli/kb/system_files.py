"""Files that programs leave in folders, known by their names: nobody means them for a search.

It knows names; it does not know what is done with such a file (`folders`).
"""

import re

RULES_FILE = ".fingerpost-access"
"""The one hidden file that is read: it says who may read the files beside it."""

_WINDOWS = "a system file of Windows"
_MACOS = "a system file of macOS"
_STORAGE = "a system folder of a storage device"
_LOCK = "a lock file of an office program"
_EDITOR = "a temporary file of an editor"
_TEMPORARY = "a temporary file"
_CONTROL = "version control"

_WAYS = (  # the first that fits; all names in lower case
    (r"(thumbs|ehthumbs|ehthumbs_vista)\.db(:encryptable)?|desktop\.ini", _WINDOWS),
    (r"\$recycle\.bin|recycler|system volume information", _WINDOWS),
    (r"\.ds_store|\._.*|__macosx|\.localized|\.appledouble|icon\r", _MACOS),
    (r"\.(spotlight-v100|trashes|fseventsd|temporaryitems|documentrevisions-v100)", _MACOS),
    (r"@eadir|#recycle|lost\+found|\.trash(-\d+)?|\.snapshot|\.nfs[0-9a-f]+", _STORAGE),
    (r"~\$.*|\.~lock\..*#|\.~.*\.[a-z]+|~wr[a-z]\d{4}.*", _LOCK),
    (r".*\.sw[nopx]|.*~|#.*#|\.#.*", _EDITOR),
    (r".*\.(tmp|temp|part|partial|crdownload|download)", _TEMPORARY),
    (r"\.(git|svn|hg|bzr)|\.git(ignore|attributes|modules|keep)|cvs", _CONTROL),
    (r"\..*", "hidden"),
)
_RULES = tuple((re.compile(names), told) for names, told in _WAYS)


def why_skipped(name: str) -> str | None:
    """Return why a file or folder of this name is left out, None where it is not."""
    lower = name.lower()
    return next((told for names, told in _RULES if names.fullmatch(lower)), None)
