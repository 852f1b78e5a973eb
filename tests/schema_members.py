#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/schema and the table of members in C say the same: no member more or less, no other type, and required unless it
came after the first version.

    schema_members.py LIST_MEMBERS            compare; exit 1 and every difference
    schema_members.py LIST_MEMBERS --write    put missing members into docs/schema (constants and enumerations of words
                                              that stand there already are kept), for `git diff` to show what changed
"""
import json
import pathlib
import subprocess
import sys

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "docs" / "schema"
DECIMAL = {"$ref": "#/$defs/decimal"}
SIGNED = {
    "text": {"type": "string"},
    "decimal": DECIMAL,
    "decimal_or_null": {"anyOf": [DECIMAL, {"type": "null"}]},
    "count": {"type": "integer", "minimum": 0},
    "truth": {"type": "boolean"},
    "utc": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"},
    "hex32": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "hex32_or_null": {"anyOf": [{"type": "string", "pattern": "^[0-9a-f]{64}$"}, {"type": "null"}]},
    "hex32_or_empty": {"type": "string", "pattern": "^([0-9a-f]{64})?$"},
    "base64": {"type": "string", "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"},
}
PLAIN = dict(SIGNED, decimal={"type": "number"}, decimal_or_null={"type": ["number", "null"]})


def tree_of(program):
    """{name: (kind, is_later, inner)} from the lines of list_members."""
    root = {}
    for line in subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines():
        path, kind, since = line.split()
        *above, name = path.replace("[]", "").split(".")
        at = root
        for part in above:
            at = at[part][2]
        at[name] = (kind, since == "later", {})
    return root


def new_object(types):
    """A statement's objects are closed; summary.json only ever grows, and its readers must not mind."""
    closed = {"additionalProperties": False} if types is SIGNED else {}
    return {"type": "object", **closed, "required": [], "properties": {}}


def agree(schema, members, types, path, differences, is_write):
    """Hold one object of the schema against its members."""
    properties = schema.setdefault("properties", {})
    required = [name for name, (_, is_later, _) in members.items() if not is_later]
    if schema.get("type") != "object" or schema.get("additionalProperties", True) is not (types is not SIGNED):
        differences.append(f"{path}: is no {'closed' if types is SIGNED else 'open'} object")
    if sorted(schema.get("required", [])) != sorted(required):
        differences.append(f"{path}: required are {schema.get('required')}, members that were there from the first are {required}")
        if is_write:
            schema["required"] = sorted(required)
    for name in set(properties) - set(members):
        differences.append(f"{path}.{name}: no such member")
        if is_write:
            del properties[name]
    for name, (kind, _, inner) in members.items():
        here = properties.get(name)
        if here is None:
            differences.append(f"{path}.{name}: is missing")
            if not is_write:
                continue
            here = {"object": new_object(types), "list": {"type": "array", "items": new_object(types)}}.get(kind) or dict(types[kind])
            properties[name] = here
        if kind == "object":
            agree(here, inner, types, f"{path}.{name}", differences, is_write)
        elif kind == "list":
            if here.get("type") != "array":
                differences.append(f"{path}.{name}: is no array")
            agree(here["items"], inner, types, f"{path}.{name}[]", differences, is_write)
        elif not ("const" in here or "enum" in here) and here != types[kind]:
            differences.append(f"{path}.{name}: is {here}, the member is {types[kind]}")
            if is_write:
                properties[name] = dict(types[kind])
    schema["properties"] = {name: properties[name] for name in sorted(properties)}


def main(program, is_write):
    members = tree_of(program)
    status = 0
    for name, types, part in (("statement", SIGNED, members), ("summary", PLAIN, members["predicate"][2])):
        path = SCHEMAS / f"{name}.json"
        schema = json.loads(path.read_text())
        differences = []
        agree(schema, part, types, name, differences, is_write)
        if is_write:
            path.write_text(json.dumps(schema, indent=1) + "\n")
        for line in differences:
            print(("mended: " if is_write else "differs: ") + line)
        status |= bool(differences) and not is_write
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:] == ["--write"]))
