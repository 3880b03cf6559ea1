"""Checks each method's folders against Hugging Face PEFT: what onnx-hut trained, opened by PEFT, must give onnx-hut's logits.

    python bench/peft_methods.py --cases DIR [--method NAME ...] [--json]

DIR/<bert, gpt2>/pytorch holds the PyTorch models whose exports are fixtures/cases/<bert, gpt2>/model.ts.onnx. The other direction, PEFT's folders folded here, is
test/runtime/methods.test.ts. Of head, bitfit and full, which PEFT has no type for, the tensors are loaded by `load_state_dict(…, strict=False)`.

Runs dist/cli/main.js (`npm run build`). Exits with 1 when a difference is above the tolerance.
Written for torch 2.15.0, transformers 5.23.0, peft 0.21.2.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import peft
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, logging

ROOT = Path(__file__).resolve().parent.parent
COMMAND = ROOT / "dist" / "cli" / "main.js"
TOLERANCE, MOVED = 1e-4, 1e-3  # largest difference of a logit; what training must have moved one by
MODELS = {"bert": (AutoModelForSequenceClassification, "text-classification", "label"), "gpt2": (AutoModelForCausalLM, "text-generation", "labels")}
RANKED = ["--rank", "4", "--alpha", "6"]
METHODS = {  # flags; PEFT's LoHa knows no Conv1D
    "hut": {"flags": RANKED}, "lora": {"flags": RANKED}, "rslora": {"flags": ["--method", "lora", "--rslora", *RANKED]}, "dora": {"flags": RANKED}, "loha": {"flags": RANKED, "only": "bert"},
    "ia3": {"flags": [], "bert": "k,v,down", "gpt2": "c_attn,down"}, "vera": {"flags": ["--rank", "4"]},
    "head": {"flags": [], "only": "bert", "whole": True}, "bitfit": {"flags": [], "whole": True}, "full": {"flags": ["--lr", "1e-3"], "whole": True},
}


def onnx_hut(*arguments):
    done = subprocess.run(["node", str(COMMAND), *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"onnx-hut {arguments[0]} ended with {done.returncode}: {done.stdout.strip() or done.stderr.strip()}")
    return json.loads(done.stdout)


def check(family, name, spec, targets, cases, scratch):
    build, task, label = MODELS[family]
    onnx, data = ROOT / "fixtures" / "cases" / family / "model.ts.onnx", ROOT / "fixtures" / "cases" / family / "batch.jsonl"
    records = [json.loads(line) for line in data.read_text().splitlines()]
    feeds = {key: torch.tensor([r[key] for r in records]) for key in records[0] if key != label}
    chosen = [] if spec.get("whole") else ["--target-modules", targets]
    method = [] if "--method" in spec["flags"] else ["--method", name]
    rate = [] if "--lr" in spec["flags"] else ["--lr", "1e-2"]
    run = scratch / f"{family}-{name}-{targets.replace(',', '-')}"
    trained = onnx_hut("train", onnx, "-o", run, "--task", task, "--train", data, "--max-steps", 5, *rate, *chosen, *method, *spec["flags"])
    onnx_hut("predict", onnx, "--task", task, "--adapter", trained["adapter"], "--data", data, "-o", run / "predictions.jsonl")
    ours = [np.array(json.loads(line)["logits"]) for line in (run / "predictions.jsonl").read_text().splitlines()]
    base = build.from_pretrained(cases / family / "pytorch").eval()
    with torch.no_grad():
        before = base(**feeds).logits.numpy()
        if spec.get("whole"):
            report = base.load_state_dict(load_file(Path(trained["adapter"]) / "adapter_model.safetensors"), strict=False)
            assert not report.unexpected_keys, report.unexpected_keys
            opened = base
        else:
            opened = peft.PeftModel.from_pretrained(base, trained["adapter"]).eval()
        theirs = opened(**feeds).logits.numpy()
    # Rows of tokens come without their padding.
    rows = [(o, t[: len(o)], b[: len(o)]) if o.ndim == 2 else (o, t, b) for o, t, b in zip(ours, theirs, before)]
    return {"maxAbsDiff": float(max(np.abs(o - t).max() for o, t, _ in rows)), "moved": float(max(np.abs(t - b).max() for _, t, b in rows)), "trained": trained["trainableParams"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--method", action="append", choices=list(METHODS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    rows = []
    with tempfile.TemporaryDirectory(prefix="onnx-hut-methods-") as scratch:
        for name in options.method or METHODS:
            spec = METHODS[name]
            for family in MODELS:
                if spec.get("only", family) != family:
                    continue
                # The roles of GPT-2's packed weight are one module of PEFT's.
                for targets in dict.fromkeys([spec.get(family, "q,v"), *(["q,v"] if family == "gpt2" else [])]):
                    if spec.get("whole") and targets != "q,v":
                        continue
                    found = check(family, name, spec, targets, options.cases, Path(scratch))
                    rows.append({"method": name, "model": family, "targets": targets, **found, "ok": found["maxAbsDiff"] <= TOLERANCE and found["moved"] >= MOVED})
                    if not options.json:
                        row = rows[-1]
                        print(f"{name:7} {family:5} {targets:12} {'ok' if row['ok'] else 'FAILED':6} {row['trained']:7} numbers; logits differ by {row['maxAbsDiff']:.1e} at most (tolerance {TOLERANCE:.0e}); "
                              f"training moved them by {row['moved']:.2g}", flush=True)
    ok = all(row["ok"] for row in rows)
    if options.json:
        print(json.dumps({"ok": ok, "checks": rows}))
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
