"""Does ONNX Runtime's Python LoraAdapter run our .onnx_adapter on a swappable graph with PyTorch's logits, and does its own reader read our file.

    npm run build
    python bench/lora_adapter.py                        # all of fixtures/cases, both exporters
    python bench/lora_adapter.py DIR [DIR ..]           # cases of your own, laid out as those

Python 3.11, onnxruntime 1.32.0, numpy 2.4.6. Tolerance 1e-5.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 1e-5
TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(float)": np.float32}


def hut(*words):
    done = subprocess.run(["node", ROOT / "dist" / "cli" / "main.js", *map(str, words), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return json.loads(done.stdout)


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options)


def check(case, exporter, folder):
    expected = json.loads((case / "expected.json").read_text())
    records = [json.loads(line) for line in (case / "batch.jsonl").read_text().splitlines()]
    model = folder / "model.onnx"
    model.write_bytes((case / f"model.{exporter}.onnx").read_bytes())
    graph, file = folder / "swappable.onnx", folder / "trained.onnx_adapter"
    made = hut("adapt", model, "--swappable", "--adapter", case / "adapter-trained", "-o", graph, "--save-adapter", file)

    run = session(graph)
    feeds = {i.name: np.array([r[i.name] for r in records], dtype=TYPES[i.type]) for i in run.get_inputs()}
    adapter, options = ort.LoraAdapter(), ort.RunOptions()
    adapter.Load(str(file))
    options.add_active_adapter(adapter)
    base = session(model).run(["logits"], feeds)[0]
    difference = lambda logits, key: float(np.abs(logits - np.array(expected[key], dtype=np.float64)).max())
    found = {
        "case": case.name, "exporter": exporter, "inputs": len(made["inputs"]), "graph": graph.stat().st_size, "adapter": file.stat().st_size,
        "base": float(np.abs(run.run(["logits"], feeds)[0] - base).max()),
        "trained": difference(run.run(["logits"], feeds, options)[0], "logits_trained"),
        "moved": float(np.abs(run.run(["logits"], feeds, options)[0] - base).max()),
    }

    # Its own reader gives what we wrote, and what its own writer makes of that is the same adapter to us.
    read = ort.AdapterFormat.read_adapter(str(file))
    names = {i["name"] for i in made["inputs"]}
    again = ort.AdapterFormat()
    again.set_adapter_version(read.get_adapter_version())
    again.set_model_version(read.get_model_version())
    again.set_parameters(read.get_parameters())
    written = folder / "again.onnx_adapter"
    again.export_adapter(str(written))
    other = folder / "other.onnx_adapter"
    hut("adapt", model, "--swappable", "--adapter", written, "-o", folder / "other.onnx", "--save-adapter", other)
    parameters = {k: v.numpy().copy() for k, v in read.get_parameters().items()}
    round_trip = ort.AdapterFormat.read_adapter(str(other))
    back = {k: v.numpy().copy() for k, v in round_trip.get_parameters().items()}
    found["round trip"] = set(parameters) == set(back) == names and all(np.array_equal(v, back[k]) for k, v in parameters.items())
    found["ok"] = found["base"] == 0 and found["trained"] <= TOLERANCE and found["moved"] > 1e-3 and found["round trip"]
    return found


cases = [Path(p) for p in sys.argv[1:]] or sorted(p for p in (ROOT / "fixtures" / "cases").iterdir() if p.is_dir())
results = []
for case in cases:
    for exporter in json.loads((case / "expected.json").read_text())["exports"]:
        with tempfile.TemporaryDirectory() as folder:
            results.append(check(case, exporter, Path(folder)))
            print(json.dumps(results[-1]))
print(f"onnxruntime {ort.__version__}: {sum(r['ok'] for r in results)} of {len(results)} hold")
sys.exit(0 if all(r["ok"] for r in results) else 1)
