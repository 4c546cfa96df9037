# -*- coding: utf-8 -*-
# Copyright (c) 2026 the sfb.xmpp authors
# GNU General Public License v3.0-or-later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read users' files as records: XML of ``Export-Clixml``, JSON of ``ConvertTo-Json``, CSV. This code is pure.

This file checks only the form. import_values.py reads the meaning of the columns.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import typing as t
from dataclasses import dataclass

from .._psrp import clixml as _psrp_clixml

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
DELIMITERS = ",;\t"
# Files that are not text, by their first bytes: ZIP archives, and compound files (MS-CFB 2.2).
BINARY = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
}
# Excel's first line that names the delimiter.
_SEPARATOR = re.compile(r'("?)sep=([^"\r\n]*)\1[\r\n]*', re.IGNORECASE)
# The first lines of Format-List and Format-Table.
_LIST = re.compile(r"[A-Za-z]\w* *: ")
_TABLE = re.compile(r"-+( +-+)*\s*")


class UnreadableSource(ValueError):
    """A file cannot be read.

    reasons: one text for each reason, with the line or record.
    """

    def __init__(self, reasons: t.Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True)
class ImportedRecord:
    """Hold one object of a file.

    place: ``line 4`` or ``record 2``.
    values: the values by the column's name in the file. A CSV file has only texts, and empty cells are left out.
    columns: all column names, also of empty cells.
    """

    place: str
    values: t.Mapping[str, t.Any]
    columns: t.Collection[str] = ()


# A function that returns the user's name of an option.
Name = t.Callable[[str], str]


def records(data: bytes, encoding: str = "", name: Name = str) -> list[ImportedRecord]:
    """Return the records of a file in order. Raises UnreadableSource with all mistakes.

    encoding: see decoded().
    """
    for mark, kind in BINARY.items():
        if data.startswith(mark):
            raise UnreadableSource(["the file is %s, not a text file. Save the sheet as 'CSV UTF-8'" % kind])
    text = decoded(data, encoding, name)
    if not text.strip():
        raise UnreadableSource(["the file is empty"])
    first = text.lstrip()[0]
    return _clixml(text) if first == "<" else _json(text) if first in "[{" else _csv(text)


def decoded(data: bytes, encoding: str = "", name: Name = str) -> str:
    """Decode the data by the byte order mark. Without a mark, use the user's encoding, or UTF-8. Raises
    UnreadableSource.

    With ``>`` and Out-File, Windows PowerShell writes UTF-16 with a byte order mark.
    """
    used = encoding or "utf-8"
    option = name("encoding")
    for mark, known in BOMS:
        if data.startswith(mark):
            data, used = data[len(mark) :], known
            break
    else:
        if bare_name(used) == "utf16":  # without a mark, use the byte order of Windows, not of this machine
            used = "utf-16-le"
    try:
        text = data.decode(used)
    except LookupError as exc:
        raise UnreadableSource(
            ["%s: '%s' is not a known encoding. Use a name such as cp1252 or utf-16" % (option, encoding)]
        ) from exc
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        hint = "" if encoding else ", or name its encoding, for example %s=cp1252" % option
        raise UnreadableSource(["line %d: is not %s. Save the file as UTF-8%s" % (line, used.upper(), hint)]) from exc
    if "\0" in text:
        raise UnreadableSource(["the file has zero bytes, as in UTF-16. Name its encoding: %s=utf-16" % option])
    return text


def bare_name(encoding: str) -> str:
    """Return an encoding's name without punctuation, such as utf16 for UTF-16 and utf_16."""
    return re.sub(r"[^a-z0-9]", "", encoding.lower())


def _csv(text: str) -> list[ImportedRecord]:
    lines = io.StringIO(text, newline="").readlines()
    _check_unformatted([line for line in lines if line.strip()][:2])
    start = 0
    delimiter = ""
    while start < len(lines):
        separator = _SEPARATOR.fullmatch(lines[start])
        if separator:
            delimiter = separator[2]
            if delimiter not in tuple(DELIMITERS + "|"):
                text = "line %d: sep= must be followed by a comma, a semicolon, a tab or a bar, not by '%s'"
                raise UnreadableSource([text % (start + 1, delimiter)])
        elif lines[start].strip() and not lines[start].startswith("#TYPE"):
            break
        start += 1
    if start == len(lines):
        raise UnreadableSource(["the file has no line with column names. Add this line"])
    reader = csv.reader(lines[start:], delimiter=delimiter or _delimiter(lines[start]), strict=True)
    found: list[ImportedRecord] = []
    wrong: list[str] = []
    header: list[str] = []
    begin = start + 1
    try:
        for cells in reader:
            place, begin = "line %d" % begin, start + reader.line_num + 1
            if not header:
                header = [cell.strip() for cell in cells]
                text = "%s: two columns have the name '%s'. Rename one of them"
                wrong.extend(text % (place, name) for name in _twice(header))
            elif any(cell.strip() for cell in cells):
                if len(cells) != len(header):
                    wrong.append(
                        "%s: %d cells for %d columns. Put quotes around texts that contain the delimiter"
                        % (place, len(cells), len(header))
                    )
                elif any(cell.strip() for name, cell in zip(header, cells, strict=True) if not name):
                    wrong.append("%s: a cell belongs to a column without a name. Name the column, or remove it" % place)
                else:
                    row = zip(header, cells, strict=True)
                    values = {name: cell for name, cell in row if name and cell.strip()}
                    found.append(ImportedRecord(place, values, header))
    except csv.Error as exc:
        wrong.append("line %d: cannot be read as CSV (%s)" % (begin, exc))
    if wrong:
        raise UnreadableSource(wrong)
    return found


def _check_unformatted(lines: t.Sequence[str]) -> None:
    """Refuse the output of Format-List and Format-Table, because such output cuts long values.

    lines: the first two lines with text.
    """
    name = "Format-List" if lines and _LIST.match(lines[0]) else ""
    name = "Format-Table" if len(lines) > 1 and _TABLE.fullmatch(lines[1]) else name
    if name:
        text = "the file is the output of %s, which cuts values. Export the objects with Export-Clixml"
        raise UnreadableSource([text % name])


def _delimiter(header: str) -> str:
    """Return the delimiter of the names: the most frequent candidate outside quotes."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=bare.count)


def _twice(names: t.Sequence[str]) -> list[str]:
    seen: set[str] = set()
    again = []
    for name in names:
        if name and name.lower() in seen:
            again.append(name)
        seen.add(name.lower())
    return again


def _json(text: str) -> list[ImportedRecord]:
    try:
        content = unwrapped(json.loads(text))
    except ValueError as exc:
        line = getattr(exc, "lineno", 1)
        raise UnreadableSource(["line %d: cannot be read as JSON (%s)" % (line, getattr(exc, "msg", exc))]) from exc
    except RecursionError as exc:
        raise UnreadableSource(["the JSON is nested too deep. It must be a list of objects"]) from exc
    return _objects(content if isinstance(content, list) else [content])


def _clixml(text: str) -> list[ImportedRecord]:
    try:
        return _objects(_psrp_clixml.read_export(text))
    except _psrp_clixml.UnreadableXml as exc:
        raise UnreadableSource([str(exc)]) from exc


def _objects(items: t.Sequence[t.Any]) -> list[ImportedRecord]:
    wrong = [
        "record %d: must be an object, not %s" % (number, json.dumps(item, default=str)[:40])
        for number, item in enumerate(items, 1)
        if not isinstance(item, dict)
    ]
    if wrong:
        raise UnreadableSource(wrong)
    return [ImportedRecord("record %d" % number, item, list(item)) for number, item in enumerate(items, 1)]


def unwrapped(value: t.Any) -> t.Any:
    """Return the list of a wrapped list. Windows PowerShell writes some lists as ``{"value": [...], "Count": N}``."""
    if isinstance(value, dict) and {name.lower() for name in value} == {"value", "count"}:
        inner = next(content for name, content in value.items() if name.lower() == "value")
        if isinstance(inner, list):
            return inner
    return value
