"""Judges the OpenAPI documents that are named as arguments: the form by the validator, the examples by their schemas."""

import json
import sys

import jsonschema
from openapi_spec_validator import validate


def examples(node, place):
    """Every media type object with an example, and where it stands."""
    if isinstance(node, dict):
        if "schema" in node and "example" in node:
            yield place, node
        for key, value in node.items():
            if key not in ("example", "examples", "schema"):
                yield from examples(value, f"{place}/{key}")
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from examples(value, f"{place}/{position}")


for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    validate(document)
    count = 0
    for place, content in examples(document, ""):
        schema = {**content["schema"], "components": document["components"]}
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        try:
            jsonschema.Draft202012Validator(schema, format_checker=checker).validate(content["example"])
        except jsonschema.ValidationError as error:
            sys.exit(f"{path}{place}: the example is not what the schema says: {error.message}")
        count += 1
    if count == 0:
        sys.exit(f"{path}: no example was found")
    print(f"{path}: valid, with {count} good examples")
