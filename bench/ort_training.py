"""Trains our artifacts on ONNX Runtime's own training API in Python, and times them beside those of its own generator.

    python3.11 -m venv venv && venv/bin/pip install onnxruntime-training-cpu==1.19.2 numpy==1.26.4 onnx==1.16.2 torch
    npm run build
    venv/bin/python bench/ort_training.py agree                       # bert, gpt2 and llama of fixtures/cases, both exporters
    venv/bin/python bench/ort_training.py time MODEL_FOLDER           # an encoder without a head, in Hugging Face's layout, as all-MiniLM-L6-v2

agree  Five steps from the case's adapter: losses within 1e-4 of PyTorch's, parameters within 1e-3 of PEFT's adapter, and the checkpoint saved here folds there to
       PyTorch's logits within 1e-4.
time   The same update (rank 8 on q and v, a mean head) trained from our artifacts and from those that generate_artifacts makes of `onnx-hut adapt --embed`, which
       needs mending by hand first: LayerNormalization without its optional outputs, and graph outputs other than the logits. Steps run by turns in one process
       and must give the same losses. Prints medians, and a row of JSON with --json.
(torch is imported by the package and not used.)
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import InferenceSession, SessionOptions
from onnxruntime.training import artifacts as generator
from onnxruntime.training.api import CheckpointState, Module, Optimizer

ROOT = Path(__file__).resolve().parent.parent
TASKS = {"cls": "text-classification", "lm": "text-generation"}


def hut(*words):
    subprocess.run(["node", ROOT / "dist/cli/main.js", *map(str, words), "--quiet", "--json"], check=True, stdout=subprocess.PIPE)


class Trainer:
    """A folder of artifacts, open."""

    def __init__(self, folder, rate, threads=0):
        options = SessionOptions()
        options.intra_op_num_threads = threads
        self.state = CheckpointState.load_checkpoint(folder / "checkpoint")
        self.module = Module(folder / "training_model.onnx", self.state, folder / "eval_model.onnx", session_options=options)
        self.optimizer = Optimizer(folder / "optimizer_model.onnx", self.module)
        self.optimizer.set_learning_rate(rate)

    def step(self, feeds, labels):
        self.module.train()
        loss = float(self.module(*[feeds[name] for name in self.module.input_names() if name != "labels"], labels))
        self.optimizer.step()
        self.module.lazy_reset_grad()
        return loss


def rows(records, name):
    return np.array([r[name] for r in records], dtype=np.int64)


def agree():
    worst = {}
    for case in (ROOT / "fixtures/cases" / family for family in ("bert", "gpt2", "llama")):
        expected = json.loads((case / "expected.json").read_text())
        records = [json.loads(line) for line in (case / "batch.jsonl").read_text().splitlines()]
        task = TASKS[expected["kind"]]
        for exporter in ("ts", "dynamo"):
            with tempfile.TemporaryDirectory() as temporary:
                folder, model = Path(temporary), case / f"model.{exporter}.onnx"
                hut("artifacts", model, "--format", "ort-training", "--adapter", case / "adapter", "--task", task, "--weight-decay", "0.01", "-o", folder)
                trainer = Trainer(folder, expected["optimizer"]["lr"])
                names = [name for name in trainer.module.input_names() if name != "labels"]
                feeds = {name: rows(records, name) for name in names}
                labels = rows(records, "label" if "label" in records[0] else "labels")
                losses = [trainer.step(feeds, labels) for _ in range(5)]
                CheckpointState.save_checkpoint(trainer.state, folder / "trained", include_optimizer_state=True)
                hut("fold", model, "--checkpoint", folder / "trained", "-o", folder / "merged.onnx")
                hut("adapt", model, "--checkpoint", folder / "trained", "-o", folder / "adapted.onnx", "--save-adapter", folder / "saved")
                session = InferenceSession(folder / "merged.onnx", providers=["CPUExecutionProvider"])
                wanted = {i.name for i in session.get_inputs()}
                logits = session.run(["logits"], {name: value for name, value in feeds.items() if name in wanted})[0]
                mask = feeds["attention_mask"].astype(bool) if logits.ndim == 3 else slice(None)
                found = {
                    "loss": np.abs(np.array(losses) - expected["losses"][:5]).max(),
                    "adapter": tensor_difference(folder / "saved", case / "adapter-trained"),
                    "logits": np.abs(logits - np.array(expected["logits_trained"]))[mask].max(),
                }
                print(f"{case.name:6} {exporter:7}", "  ".join(f"{name} {value:.1e}" for name, value in found.items()))
                worst = {name: max(value, worst.get(name, 0)) for name, value in found.items()}
    limits = {"loss": 1e-4, "adapter": 1e-3, "logits": 1e-4}
    print("worst         ", "  ".join(f"{name} {value:.1e} (at most {limits[name]:.0e})" for name, value in worst.items()))
    if any(value > limits[name] for name, value in worst.items()):
        raise SystemExit("over the limit")


def tensor_difference(ours, theirs):
    from safetensors.numpy import load_file
    a, b = (load_file(folder / "adapter_model.safetensors") for folder in (ours, theirs))
    assert sorted(a) == sorted(b), (sorted(a), sorted(b))
    return max(np.abs(a[name] - b[name]).max() for name in a)


def mended(path):
    """The adapted graph as generate_artifacts can take it."""
    model = onnx.load(path)
    for node in model.graph.node:
        if node.op_type == "LayerNormalization":
            node.output.extend(f"{node.output[0]}_{extra}" for extra in ("mean", "inverse"))
    logits = [o for o in model.graph.output if o.name == "logits"]
    del model.graph.output[:]
    model.graph.output.extend(logits)
    return model


def same_constants(path, like):
    """Gives an optimizer's node the constants of another's: the generator's own epsilon is 1e-6."""
    model, other = onnx.load(path), onnx.load(like)
    del model.graph.node[0].attribute[:]
    model.graph.node[0].attribute.extend(other.graph.node[0].attribute)
    onnx.save(model, path)


def times(folder, settings):
    with tempfile.TemporaryDirectory() as temporary:
        ours, theirs, adapted = (Path(temporary) / name for name in ("ours", "theirs", "adapted.onnx"))
        words = ["--head", "mean", "--num-labels", "2", "--rank", "8", "--target-modules", "q,v"]
        hut("adapt", folder, *words, "--embed", "-o", adapted)
        hut("artifacts", folder, *words, "--format", "ort-training", "-o", ours)
        model = mended(adapted)
        trained = [entry["name"] for entry in json.loads((ours / "manifest.json").read_text())["layout"]]
        started = time.perf_counter()
        theirs.mkdir()
        generator.generate_artifacts(
            model, requires_grad=trained, frozen_params=[i.name for i in model.graph.initializer if i.name not in trained and i.data_type == 1],
            loss=generator.LossType.CrossEntropyLoss, optimizer=generator.OptimType.AdamW, artifact_directory=str(theirs))
        same_constants(theirs / "optimizer_model.onnx", ours / "optimizer_model.onnx")
        print(f"generate_artifacts took {time.perf_counter() - started:.1f} s")
        trainers = {"ours": Trainer(ours, 1e-3, settings.threads), "generated": Trainer(theirs, 1e-3, settings.threads)}
        # The processor's time on one thread: what else the machine does then counts for little.
        clock = time.process_time if settings.threads == 1 else time.perf_counter
        results = {}
        for rows_, tokens in settings.batches:
            rng = np.random.default_rng(0)
            ids = rng.integers(1000, 20000, (rows_, tokens), dtype=np.int64)
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            labels = rng.integers(0, 2, rows_, dtype=np.int64)
            seconds = {name: [] for name in trainers}
            losses = {name: [] for name in trainers}
            for turn in range(3 + settings.pairs):
                for name, trainer in trainers.items():
                    time.sleep(0.05)
                    started = clock()
                    losses[name].append(trainer.step(feeds, labels))
                    if turn >= 3:
                        seconds[name].append(clock() - started)
            difference = max(abs(a - b) for a, b in zip(losses["ours"], losses["generated"]))
            median = {name: statistics.median(values) * 1000 for name, values in seconds.items()}
            ratio = statistics.median(a / b for a, b in zip(seconds["ours"], seconds["generated"]))
            results[f"{rows_}x{tokens}"] = {**{name: round(value, 1) for name, value in median.items()}, "ratio": round(ratio, 3), "lossDifference": difference}
            print(f"{rows_} x {tokens}: ours {median['ours']:.0f} ms, generated {median['generated']:.0f} ms, ours / generated {ratio:.3f}, losses apart by {difference:.1e}")
        if settings.json:
            print(json.dumps(results))


parser = argparse.ArgumentParser()
verbs = parser.add_subparsers(dest="verb", required=True)
verbs.add_parser("agree")
timing = verbs.add_parser("time")
timing.add_argument("folder", type=Path)
timing.add_argument("--pairs", type=int, default=20)
timing.add_argument("--batches", type=lambda s: [tuple(map(int, b.split("x"))) for b in s.split(",")], default=[(8, 96), (32, 64)])
timing.add_argument("--threads", type=int, default=0)
timing.add_argument("--json", action="store_true")
given = parser.parse_args()
agree() if given.verb == "agree" else times(given.folder, given)
