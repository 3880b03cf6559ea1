"""Writes onnx-schemas.json: every operator of ONNX's own domain up to opset 24, all versions, as the `onnx` package (1.23) defines them.

    python scripts/dump-onnx-schemas.py > scripts/onnx-schemas.json

`generate-builders.ts` makes the typed builders from it. An input's suffix tells "?" optional, "*" variadic.
"""
import json

import onnx

NEWEST = 24
SUFFIX = {onnx.defs.OpSchema.FormalParameterOption.Single: "", onnx.defs.OpSchema.FormalParameterOption.Optional: "?",
          onnx.defs.OpSchema.FormalParameterOption.Variadic: "*"}


def formals(parameters):
    return [p.name + SUFFIX[p.option] for p in parameters]


schemas = [s for s in onnx.defs.get_all_schemas_with_history() if s.domain == "" and s.since_version <= NEWEST]
# The newest version that still holds; a deprecated one before it (GroupNormalization 18) is in use in files, one after it ends the operator.
living = {s.name: max(v.since_version for v in schemas if v.name == s.name and not v.deprecated) for s in schemas if not s.deprecated}

operators = {}
for schema in schemas:
    if schema.since_version <= living.get(schema.name, 0):
        operators.setdefault(schema.name, []).append({
            "since": schema.since_version, "inputs": formals(schema.inputs), "outputs": formals(schema.outputs),
            "attributes": {a.name: a.type.name.lower() + ("" if a.required else "?") for a in schema.attributes.values()}})
lines = [f'  {json.dumps(name)}: [\n' + ",\n".join("    " + json.dumps(v) for v in sorted(versions, key=lambda v: v["since"])) + "\n  ]"
         for name, versions in sorted(operators.items())]
print("{\n" + ",\n".join(lines) + "\n}")
