"""What a traceback, or the message of a refused request, tells by its last words."""

import re

_HEAD = "Traceback (most recent call last):"
_ENDS = 3000  # characters at the end, and at the beginning, that are looked at
_CODES = {  # a code and the words that tell it; the first that fits decides
    "odoo.conflict": ("could not serialize access|deadlock detected|could not obtain lock",),
    "odoo.pool-full": ("The Connection Pool Is Full",),
    "odoo.access-denied": (
        r"exceptions\.AccessError: ",
        "^You are not allowed to ",
        "^Due to security restrictions",
        "stumbled upon some top-secret rec",
    ),
    "odoo.missing-required": (
        "Missing required value for the field",
        "a mandatory field is not set",
        'null value in column "',
    ),
    "odoo.wrong-reference": (
        "[Aa]nother model (?:is using|requires) the record",
        "violates foreign key constraint",
    ),
    "odoo.not-unique": ("duplicate key value violates unique", r"\bmust be unique\b"),
    "odoo.unknown-field": ("Invalid field ['\"]",),
    "odoo.unknown-model": (
        r"^Object \S{1,200} doesn't exist",
        r"The method '\S{1,200}' does not exist",
    ),
    "odoo.invalid-value": (
        r"Wrong value for \S{1,200}: ",
        r"errors\.(?:InvalidTextRepresentation|DatetimeFieldOverflow|NumericValueOutOfRange): ",
        "can't adapt type ",
    ),
    "odoo.validation": (r"exceptions\.(?:ValidationError|UserError): ",),
}
_KNOWN = [(re.compile("|".join(words), re.MULTILINE), code) for code, words in _CODES.items()]
_IN_A_FIELD = re.compile(r"/odoo/(?:fields|orm/fields\w*)\.py\", line \d{1,9}, in convert_to_")
_NO_NUMBER = re.compile(r"ValueError: (?:invalid literal for int|could not convert string to fl)")


def code_of(text: str) -> str | None:
    """Return the code of the diagnosis of a record's text; None where its words do not tell."""
    said = _last_words(text)
    for words, code in _KNOWN:
        if words.search(said):
            return code
    in_a_field = _NO_NUMBER.search(said) and _IN_A_FIELD.search(text, max(0, len(text) - _ENDS))
    return "odoo.invalid-value" if in_a_field else None


def _last_words(text: str) -> str:
    """Return the message of the last exception, or the beginning of a text without traceback."""
    _, head, frames = text.rpartition(_HEAD)
    if not head:
        return text.strip()[:_ENDS]
    lines = frames[-_ENDS:].split("\n")[1:]
    at = next((n for n, line in enumerate(lines) if line[:1].strip()), len(lines))
    return "\n".join(lines[at:])
