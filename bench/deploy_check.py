"""Do Python's loaders open a folder that `fold -o DIR` wrote, and give what `onnx-hut predict` gives?

    onnx-hut fold MODEL --adapter run/adapter -o DIR
    onnx-hut predict DIR --data DATA.tsv -o predictions.jsonl
    python bench/deploy_check.py DIR DATA.tsv predictions.jsonl

A classifier is opened by optimum (ORTModelForSequenceClassification, and transformers' pipeline on it), an embedding model by sentence-transformers
(backend="onnx"), from the folder alone, with HF_HUB_OFFLINE=1. DATA.tsv has a header and a text in its first column. Ends with code 1 where a number is
off by more than 1e-5 (logits: 1e-4).

    pip install "optimum-onnx[onnxruntime]==0.1.0" "sentence-transformers==5.7.0" onnxruntime==1.32.0

What it said (transformers 4.57.6, optimum 2.1.0), largest differences:

    fixtures/demo, mean head, 64 dev sentences          logits 8.9e-08, scores 4.6e-08
    the same, only model.onnx and tokenizer.json        logits 8.9e-08, scores 4.6e-08
    all-MiniLM-L6-v2 with modules.json, 64 sentences    embeddings 3.5e-08
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np  # noqa: E402


def classifier(folder, texts, records):
    from optimum.onnxruntime import ORTModelForSequenceClassification
    from transformers import AutoTokenizer, pipeline

    model = ORTModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    logits = np.concatenate([model(**tokenizer([t], return_tensors="pt", truncation=True)).logits.numpy() for t in texts])
    answers = pipeline("text-classification", model=model, tokenizer=tokenizer)(texts, truncation=True)
    assert [a["label"] for a in answers] == [r["label"] for r in records], "labels differ"
    return {"logits": (np.abs(logits - np.array([r["logits"] for r in records])).max(), 1e-4),
            "scores": (max(abs(a["score"] - r["score"]) for a, r in zip(answers, records)), 1e-5)}


def embedder(folder, texts, records):
    """The means of predict's hidden states, normalized, against encode()."""
    from sentence_transformers import SentenceTransformer

    given = SentenceTransformer(folder, backend="onnx").encode(texts)
    means = np.array([np.mean(r["last_hidden_state"], axis=0) for r in records])
    return {"embeddings": (np.abs(given - means / np.linalg.norm(means, axis=1, keepdims=True)).max(), 1e-5)}


def main(folder, data, predictions):
    texts = [line.split("\t")[0] for line in open(data, encoding="utf-8").read().splitlines()[1:]]
    records = [json.loads(line) for line in open(predictions, encoding="utf-8")]
    is_embedder = os.path.exists(os.path.join(folder, "modules.json"))
    found = (embedder if is_embedder else classifier)(folder, texts, records)
    print(", ".join(f"{name} {difference:.1e}" for name, (difference, _) in found.items()))
    return 0 if all(difference <= allowed for difference, allowed in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
