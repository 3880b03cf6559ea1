"""PEFT's side of roberta-steps.ts: HiRA steps of a RobertaForSequenceClassification of full size with made weights. Prints one JSON object.

    python bench/roberta_steps.py --size base --batch 4x64 --steps 20 [--threads 2] [--provider cuda]

Rank 8 on q and v and the head whole, AdamW, gradients clipped to norm 1, no dropout, attention by PyTorch's own choice (sdpa). Time is the mean of the steps behind the
second, and no step waits for its loss. On a GPU products are in TF32, as ONNX Runtime's.
"""

import argparse
import json
import resource
import time

import peft
import torch
from torch.nn.functional import cross_entropy
from transformers import RobertaConfig, RobertaForSequenceClassification, logging

SIZES = {"base": (768, 12, 3072, 12), "large": (1024, 16, 4096, 24)}
RANK, LEARNING_RATE, MAX_NORM = 8, 5e-3, 1.0
UNCOUNTED = 2
FIRST_WORD, WORDS = 4, 50_265


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=list(SIZES), required=True)
    parser.add_argument("--batch", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--provider", choices=["cpu", "cuda"], default="cpu")
    options = parser.parse_args()
    logging.set_verbosity_error()
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.manual_seed(0)
    width, heads, inner, layers = SIZES[options.size]
    config = RobertaConfig(vocab_size=WORDS, hidden_size=width, num_attention_heads=heads, intermediate_size=inner, num_hidden_layers=layers, max_position_embeddings=514,
                           type_vocab_size=1, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, num_labels=2)
    model = peft.get_peft_model(RobertaForSequenceClassification(config), peft.HiraConfig(r=RANK, target_modules=["query", "value"], modules_to_save=["classifier"]))
    model.to(options.provider).train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=0.0)
    rows, tokens = map(int, options.batch.split("x"))
    batches = torch.randint(FIRST_WORD, WORDS, (options.steps, rows, tokens))
    mask, labels = torch.ones(rows, tokens, dtype=torch.long), torch.arange(rows) % 2
    losses = []
    begun = 0.0
    for step, ids in enumerate(batches):
        if step == UNCOUNTED:
            synchronize(options.provider)
            begun = time.perf_counter()
        logits = model(input_ids=ids.to(options.provider), attention_mask=mask.to(options.provider)).logits
        loss = cross_entropy(logits, labels.to(options.provider))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
    synchronize(options.provider)
    seconds = (time.perf_counter() - begun) / (options.steps - UNCOUNTED)
    print(json.dumps({"steps": options.steps, "stepSeconds": seconds, "peakBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                      "allocatedBytes": torch.cuda.max_memory_allocated() if options.provider == "cuda" else None, "losses": [losses[0].item(), losses[-1].item()],
                      "versions": {"torch": torch.__version__, "peft": peft.__version__}}))


def synchronize(provider):
    if provider == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
