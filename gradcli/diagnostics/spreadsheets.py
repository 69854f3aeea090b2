"""What spreadsheets write into tables of text besides names and numbers."""

from __future__ import annotations

import re

SEPARATOR_LINE = re.compile(r'"?sep=([^"\w\s]|\t)"?[ \t]*(?:\r?\n|$)', re.IGNORECASE)
"""The first line of a table that a spreadsheet is to open: what separates its columns."""
ERROR_VALUE = re.compile(r"#(N/A|DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!|SPILL!|CALC!)", re.IGNORECASE)
"""What stands in the place of a number that can't be computed."""
