"""Form fields: what each is called and what was filled in.

It knows the fields of a form (ISO 32000-1, 12.7) as pdfium tells them, and reads what a field says
of itself where pdfium does not know it. It does not know the words of the page around a field.
Passwords and hidden fields are not read.
"""

import re
from typing import Any, NamedTuple

from pypdfium2 import raw

from knowledge.parsing.pdf.places import Box, text_of

CHECKED, EMPTY = "☑", "☐"
MOST_CHOICES = 2_000  # of a list that are looked at: the world has 250 countries, 1,700 currencies
IS_PASSWORD = 1 << 13  # field flags: ISO 32000-1, tables 226 and 228
IS_PUSHED = 1 << 16
IS_RADIO = 1 << 15
BOXES = {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}
LISTS = {raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}
_KINDS = {
    "Tx": raw.FPDF_FORMFIELD_TEXTFIELD,
    "Btn": raw.FPDF_FORMFIELD_CHECKBOX,
    "Ch": raw.FPDF_FORMFIELD_COMBOBOX,
    "Sig": raw.FPDF_FORMFIELD_SIGNATURE,
}
_MADE_UP = (
    r"(?i)(?:text|check|radio|combo|list|drop|date|form|fill|button|box|field|down|undefined"
    r"|untitled|文本|字段|复选框|选项|[\W\d_])*[a-z]?"
)  # names that programs give: `Text12`, `Check Box3`, `undefined_2`, `fill_7`


class Field(NamedTuple):
    """A field: its name as a reader would say it (may be empty), its value, and where it stands."""

    name: str
    value: str
    box: Box
    is_box: bool = False


class Unread(NamedTuple):
    """A field that is not read: what it is, and why."""

    what: str
    why: str


def read_field(form: Any, annotation: Any, box: Box, *, is_hidden: bool) -> Field | Unread | None:
    """Return a field and its value, what is not read of it, or nothing where it is empty.

    Args:
        form: What pdfium knows of the form, or nothing.
        annotation: The field where it stands on the page.
        box: That place.
        is_hidden: The page does not show it.
    """
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation) if form else -1
    is_known = kind > 0
    kind = kind if is_known else _KINDS.get(_said(annotation, b"FT"), 0)
    flags = raw.FPDFAnnot_GetFormFieldFlags(form, annotation) if is_known else 0
    if kind in (0, raw.FPDF_FORMFIELD_PUSHBUTTON) or (kind in BOXES and flags & IS_PUSHED):
        return None
    name = _name(form if is_known else None, annotation)
    what = f"form field {name!r}" if name else "form field"
    if kind == raw.FPDF_FORMFIELD_SIGNATURE:
        is_signed = raw.FPDFAnnot_HasKey(annotation, b"V")
        return Unread(f"signature in {what}", "signatures are not read") if is_signed else None
    if kind in BOXES:
        mark = CHECKED if _is_checked(form if is_known else None, annotation) else EMPTY
        return None if is_hidden else Field(name, mark, box, is_box=True)
    if kind == raw.FPDF_FORMFIELD_TEXTFIELD and flags & IS_PASSWORD:
        return Unread(f"password {what}", "passwords are not read")
    value = _value(form if is_known else None, annotation, kind)
    if is_hidden:
        return Unread(f"hidden {what}", "the page does not show it") if value else None
    return Field(name, value, box) if value else None


def _said(annotation: Any, key: bytes) -> str:
    return text_of(raw.FPDFAnnot_GetStringValue, annotation, key)


def _name(form: Any, annotation: Any) -> str:
    """Return what a field is called, its description before its name in the file."""
    if form:
        said = text_of(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
        name = text_of(raw.FPDFAnnot_GetFormFieldName, form, annotation)
    else:
        said, name = _said(annotation, b"TU"), _said(annotation, b"T")
    if said.strip():
        return " ".join(said.split()).rstrip(":：")
    parts = [" ".join(re.sub(r"\[\d+\]", "", part).split("_")) for part in name.split(".")]
    last = next((p for p in reversed(parts) if not re.fullmatch(_MADE_UP, p)), "")
    return " ".join(last.split()).rstrip(":：")


def _is_checked(form: Any, annotation: Any) -> bool:
    """Tell whether a box is checked; programs that fill in forms forget how it is drawn."""
    value, state = _said(annotation, b"V"), _said(annotation, b"AS")
    if value not in ("", "Off") or (form and raw.FPDFAnnot_IsChecked(form, annotation)):
        return True
    if not form:
        return state not in ("", "Off")
    on = text_of(raw.FPDFAnnot_GetFormFieldExportValue, form, annotation)
    return bool(on) and on == text_of(raw.FPDFAnnot_GetFormFieldValue, form, annotation)


def _value(form: Any, annotation: Any, kind: int) -> str:
    if not form:
        return trimmed_lines(_said(annotation, b"V"))
    value = text_of(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    if kind not in LISTS:
        return trimmed_lines(value)
    count = min(raw.FPDFAnnot_GetOptionCount(form, annotation), MOST_CHOICES)
    chosen = [
        text_of(raw.FPDFAnnot_GetOptionLabel, form, annotation, number)
        for number in range(count)
        if raw.FPDFAnnot_IsOptionSelected(form, annotation, number)
    ]
    return trimmed_lines(", ".join(filter(None, chosen)) or value)


def trimmed_lines(words: str) -> str:
    """Return the lines of a value or note that hold anything, with single spaces."""
    lines = (" ".join(line.split()) for line in re.split(r"[\r\n\u2028\u2029]+", words))
    return "\n".join(filter(None, lines))
