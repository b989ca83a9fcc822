"""Teaches schemathesis two things.

Lines of JSON: the schema of such a body is a text, and the text is the body.

Idempotency keys: where calls follow from one another, a good one is used once, as callers do. Otherwise two calls that
have nothing to do with each other would meet under a short key, and the second would be told of something that is gone
since.
"""

import itertools
import json
import re

import schemathesis

KEY = "Idempotency-Key"
GOOD_KEY = re.compile(r'(?:[!#-~][!-~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}")')
NUMBERS = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or case.meta.phase.name != "stateful":
        return
    headers = case.headers or {}
    for name in [name for name in headers if name.lower() == KEY.lower()]:
        if GOOD_KEY.fullmatch(str(headers[name])):
            headers[name] = f"call-{next(NUMBERS)}"


@schemathesis.serializer("application/x-ndjson")
def ndjson(context, value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")
