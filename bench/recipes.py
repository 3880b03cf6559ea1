"""Fine-tunes all-MiniLM-L6-v2 on SST-2 and MRPC with onnx-hut, and with PEFT's HiRA and LoRA on PyTorch: same settings, by turns, in one run.

    python bench/recipes.py --model DIR --data DIR [--tasks sst2,mrpc] [--seeds 0,1,2] [--epochs 3] [--max-steps N] [--threads 2] [--provider cuda] [-o bench/results/recipes.json]

--model DIR   the ONNX model folder of all-MiniLM-L6-v2 (model.onnx, config.json, tokenizer.json), which has no classifier. The PyTorch model is made of the
              numbers in model.onnx, so both start from the same weights.
--data DIR    sst2/train.tsv and dev.tsv (`sentence<TAB>label`), mrpc/train.tsv and test.tsv (`sentence1<TAB>sentence2<TAB>label`).

For each task and seed PEFT makes a HiRA adapter with its classifier and saves it. onnx-hut starts from that folder (`--adapter`). The records of all epochs are
written into one file in the order in which PEFT takes them, which onnx-hut takes as they are (`--no-shuffle --epochs 1`). So both make the same steps from the
same numbers. LoRA starts from a draw of its own, as HiRA does, and has its own learning rate. Dropout is 0 throughout, gradients are clipped to norm 1, AdamW has
no decay, the schedule is linear with 6 % warm-up.

The time is that of the steps: tokens are made before, evaluation comes after; --threads holds for all. Which of the three begins changes with the seed.
The report is written after each task of each seed, so a run that is broken off keeps what it has.

--provider cuda   all on the GPU: onnx-hut with `--provider cuda`, PyTorch with model and batches there. Products are in TF32 on both sides, which ONNX Runtime does
              unless NVIDIA_TF32_OVERRIDE=0 forbids it to both, and PyTorch is told to. PyTorch's losses stay on the GPU until the last step is done, so no step waits for
              one; onnx-hut reads its loss after each. PyTorch, one process for all, makes ten steps first that don't count; onnx-hut is a process a run, and its
              first step counts, with all that CUDA loads in it.

Runs dist/cli/main.js (`npm run build`). Exits with 1 where onnx-hut's mean over the seeds is more than 0.5 points below HiRA's.
Written for torch 2.15.0, transformers 5.24.0, peft 0.21.2, tokenizers 0.23.3, onnx 1.23.2, scikit-learn 1.9.
"""

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import onnx
import peft
import torch
import transformers
from onnx.numpy_helper import to_array
from sklearn.metrics import accuracy_score, f1_score
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy
from transformers import BertConfig, BertModel

COMMAND = Path(__file__).resolve().parent.parent / "dist" / "cli" / "main.js"
RANK, BATCH, WARMUP, MAX_NORM, MAX_TOKENS = 8, 32, 0.06, 1.0, 128
WARM_UPS = 10  # steps of PyTorch's that don't count, on a GPU
LEARNING_RATES = {"hira": 5e-3, "lora": 1e-3}  # onnx-hut's defaults for the two methods
ALLOWED = 0.5  # points that onnx-hut may be below PEFT
EVAL_BATCH = 64
SHORT_DEV = 200  # records to evaluate on in a short run


@dataclass
class Task:
    name: str
    train: str
    dev: str
    columns: int  # of text


TASKS = {"sst2": Task("sst2", "train.tsv", "dev.tsv", 1), "mrpc": Task("mrpc", "train.tsv", "test.tsv", 2)}


class MeanClassifier(BertModel):
    """BertModel with the head that `--head mean` attaches; module paths are `encoder.layer.0…` and `classifier`."""

    def __init__(self, config):
        super().__init__(config, add_pooling_layer=False)
        self.classifier = torch.nn.Linear(config.hidden_size, 2)

    def forward(self, input_ids, attention_mask, token_type_ids, **_):
        hidden = super().forward(input_ids, attention_mask, token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return self.classifier((hidden * mask).sum(1) / mask.sum(1))


def weights_of(path):
    """A PyTorch state dict of an encoder's ONNX file: named initializers as they are, and each product's weight, transposed, by its node's path."""
    graph = onnx.load(path).graph
    arrays = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    state = {name: torch.from_numpy(array.copy()) for name, array in arrays.items() if "::" not in name}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in arrays:
            state[node.name.strip("/").rsplit("/", 1)[0].replace("/", ".") + ".weight"] = torch.from_numpy(arrays[node.input[1]].T.copy())
    return state


def build(config, state, seed):
    torch.manual_seed(seed)  # the classifier's start
    model = MeanClassifier(BertConfig(**{**config, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}))
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert set(missing) <= {"classifier.weight", "classifier.bias", "embeddings.position_ids"} and not unexpected, (missing, unexpected)
    model.name_or_path = "all-MiniLM-L6-v2"
    return model


def with_adapter(method, config, state, seed):
    settings = {"r": RANK, "target_modules": ["query", "value"], "modules_to_save": ["classifier"]}
    adapter = peft.HiraConfig(**settings) if method == "hira" else peft.LoraConfig(**settings, lora_alpha=RANK, lora_dropout=0.0)
    model = build(config, state, seed)
    torch.manual_seed(seed)
    return peft.get_peft_model(model, adapter)


def read(path):
    """GLUE's TSV: no quoting."""
    header, *lines = path.read_text(encoding="utf-8").split("\n")
    rows = [line.split("\t") for line in lines if line]
    return header, rows


def encoded(tokenizer, rows, columns):
    """Ids and types of each record, not padded, and labels."""
    texts = [row[0] if columns == 1 else (row[0], row[1]) for row in rows]
    return [(e.ids, e.type_ids, int(row[columns])) for e, row in zip(tokenizer.encode_batch(texts), rows)]


def padded(records, device):
    width = max(len(ids) for ids, _, _ in records)
    pad = lambda values: torch.tensor([list(v) + [0] * (width - len(v)) for v in values]).to(device)
    return {"input_ids": pad([r[0] for r in records]), "attention_mask": pad([[1] * len(r[0]) for r in records]), "token_type_ids": pad([r[1] for r in records])}, torch.tensor([r[2] for r in records]).to(device)


def train_peft(method, model, records, steps, device):
    model.to(device)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATES[method], weight_decay=0.0)
    schedule = transformers.get_scheduler("linear", optimizer, math.ceil(WARMUP * steps), steps)
    losses = []
    model.train()
    synchronize(device)
    begun = time.perf_counter()
    for step in range(steps):
        batch, labels = padded(records[step * BATCH:(step + 1) * BATCH], device)
        loss = cross_entropy(model(**batch), labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    synchronize(device)
    seconds = time.perf_counter() - begun
    return torch.stack(losses).tolist(), seconds


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def score_peft(model, records, device):
    model.eval()
    order = sorted(range(len(records)), key=lambda i: len(records[i][0]))
    predicted = [0] * len(records)
    with torch.no_grad():
        for at in range(0, len(order), EVAL_BATCH):
            part = order[at:at + EVAL_BATCH]
            for i, label in zip(part, model(**padded([records[i] for i in part], device)[0]).argmax(-1).tolist()):
                predicted[i] = label
    labels = [record[2] for record in records]
    return {"accuracy": accuracy_score(labels, predicted), "f1": f1_score(labels, predicted)}


def onnx_hut(*words):
    done = subprocess.run(["node", str(COMMAND), *map(str, words), "--json", "--quiet", "--no-config"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"onnx-hut {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def train_ours(model, data, dev, start, steps, options, run):
    result = onnx_hut("train", model, "--train", data, "--dev", dev, "--adapter", start, "--head", "mean", "--num-labels", 2, "--no-shuffle", "--epochs", 1, "--max-steps", steps,
                      "--batch-size", BATCH, "--lr", LEARNING_RATES["hira"], "--warmup-ratio", WARMUP, "--max-seq-length", MAX_TOKENS, "--threads", options.threads,
                      "--provider", options.provider, "-o", run)
    losses = [record["loss"] for record in map(json.loads, (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()) if "loss" in record]
    scores = {name.removeprefix("eval_"): value for name, value in result["metrics"].items() if name not in ("eval_loss", "eval_runtime")}
    return {"scores": scores, "seconds": result["train_runtime"], "losses": losses}


def one_seed(task, seed, options, config, state, tokenizer, scratch):
    """The three of one seed, by turns."""
    folder = Path(options.data) / task.name
    header, rows = read(folder / task.train)
    generator = torch.Generator().manual_seed(seed)
    order = [i for _ in range(options.epochs) for i in torch.randperm(len(rows), generator=generator).tolist()]
    steps = math.ceil(len(order) / BATCH)
    steps = min(steps, options.max_steps or steps)
    data = scratch / f"{task.name}-{seed}.tsv"
    data.write_text("\n".join([header, *("\t".join(rows[i]) for i in order[:steps * BATCH])]) + "\n", encoding="utf-8")
    records = encoded(tokenizer, rows, task.columns)
    dev_file, dev_rows = folder / task.dev, read(folder / task.dev)[1]
    if options.max_steps:
        dev_file, dev_rows = scratch / f"{task.name}-dev.tsv", dev_rows[:SHORT_DEV]
        dev_file.write_text("\n".join([header, *("\t".join(row) for row in dev_rows)]) + "\n", encoding="utf-8")
    dev = encoded(tokenizer, dev_rows, task.columns)

    start = scratch / f"{task.name}-{seed}-start"
    first = with_adapter("hira", config, state, seed)
    first.save_pretrained(start)

    def theirs(method, model):
        losses, seconds = train_peft(method, model, [records[i] for i in order[:steps * BATCH]], steps, options.provider)
        return {"scores": score_peft(model, dev, options.provider), "seconds": seconds, "losses": losses}

    if options.provider == "cuda":
        train_peft("hira", with_adapter("hira", config, state, seed), records[:WARM_UPS * BATCH], WARM_UPS, "cuda")
    turns = {
        "onnx-hut": lambda: train_ours(Path(options.model), data, dev_file, start, steps, options, scratch / f"{task.name}-{seed}-run"),
        "peft hira": lambda: theirs("hira", first),
        "peft lora": lambda: theirs("lora", with_adapter("lora", config, state, seed)),
    }
    names = list(turns)
    shift = seed % len(names)
    results = {name: turns[name]() for name in names[shift:] + names[:shift]}
    gap = max(abs(a - b) for a, b in zip(results["onnx-hut"]["losses"][:10], results["peft hira"]["losses"][:10]))
    for name in names:
        result = results[name]
        losses = result.pop("losses")
        result.update(firstLoss=losses[0], lastLoss=losses[-1])
        print(f"{task.name} seed {seed}  {name:9}  accuracy {100 * result['scores']['accuracy']:.2f}  {result['seconds']:.1f} s  loss {losses[0]:.4f} → {losses[-1]:.4f}", file=sys.stderr)
    return {"task": task.name, "seed": seed, "steps": steps, "firstTenLossesDiffer": gap, "results": {name: results[name] for name in names}}


def summary(runs):
    """Means over the seeds, by task and by who trained."""
    found = {}
    for run in runs:
        for name, result in run["results"].items():
            found.setdefault(run["task"], {}).setdefault(name, []).append((100 * result["scores"]["accuracy"], result["seconds"]))
    return {task: {name: {"accuracy": round(sum(a for a, _ in pairs) / len(pairs), 2), "least": round(min(a for a, _ in pairs), 2), "most": round(max(a for a, _ in pairs), 2),
                          "seconds": round(sum(s for _, s in pairs) / len(pairs), 1)} for name, pairs in by.items()} for task, by in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--tasks", default="sst2,mrpc")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--max-steps", type=int, help="a short run: so many steps for each, which shows that all works and tells nothing of accuracy")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--provider", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("-o", "--output", type=Path, help="where the JSON goes; stdout where left out")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = True  # as ONNX Runtime
    config = json.loads((Path(options.model) / "config.json").read_text(encoding="utf-8"))
    state = weights_of(Path(options.model) / "model.onnx")
    tokenizer = Tokenizer.from_file(str(Path(options.model) / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    scratch = Path(tempfile.mkdtemp(prefix="onnx-hut-recipes-"))
    load = os.getloadavg()[0]
    runs = []
    try:
        for seed in map(int, options.seeds.split(",")):
            for task in options.tasks.split(","):
                runs.append(one_seed(TASKS[task], seed, options, config, state, tokenizer, scratch))
                if options.output:
                    options.output.write_text(json.dumps(report_of(runs, options, load), indent=1) + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(scratch)
    report = report_of(runs, options, load)
    if not options.output:
        print(json.dumps(report, indent=1))
    for task, by in report["means"].items():
        for name, mean in by.items():
            print(f"{task}  {name:9}  accuracy {mean['accuracy']:.2f} ({mean['least']:.2f} to {mean['most']:.2f})  {mean['seconds']:.1f} s", file=sys.stderr)
    # A short run decides nothing.
    sys.exit(0 if report["withinHalfAPoint"] or options.max_steps else 1)


def report_of(runs, options, load):
    means = summary(runs)
    gpu = {"gpu": torch.cuda.get_device_name()} if options.provider == "cuda" else {}
    return {
        "date": time.strftime("%Y-%m-%d"), "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), **gpu, "loadAverage": round(load, 2)},
        "versions": {"onnx-hut": json.loads((COMMAND.parents[2] / "package.json").read_text(encoding="utf-8"))["version"], "torch": torch.__version__, "peft": peft.__version__, "transformers": transformers.__version__},
        "settings": {"rank": RANK, "batchSize": BATCH, "epochs": options.epochs, "maxSteps": options.max_steps, "threads": options.threads, "provider": options.provider,
                     "learningRates": LEARNING_RATES, "warmupRatio": WARMUP, "maxSeqLength": MAX_TOKENS},
        "means": means, "withinHalfAPoint": all(by["onnx-hut"]["accuracy"] >= by["peft hira"]["accuracy"] - ALLOWED for by in means.values()), "runs": runs,
    }


if __name__ == "__main__":
    main()
