"""The schemas in docs/schema, each read and checked once for all tests of a process."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[1] / "docs" / "schema"


@cache
def schema(name: str) -> Draft202012Validator:
    """The validator of a command's JSON. Raises `SchemaError` if the schema itself is wrong."""
    content = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)
