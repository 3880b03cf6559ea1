"""Makes a GPT-2 to be trained from nothing: a byte-level BPE of a file's texts, random weights, and an export that takes and gives a cache.

    python bench/e2e_model.py TEXTS.jsonl -o DIR [--seed 0] [--layers 4] [--width 256] [--heads 4] [--positions 256] [--vocabulary 2000]

TEXTS.jsonl has records of texts: every string in them is read. DIR gets onnx/model.onnx (PyTorch's TorchScript exporter, opset 17), config.json, generation_config.json, tokenizer.json and
tokenizer_config.json, as an export of a model from the hub has them. bench/e2e.ts runs this. Nothing is trained here.
Written for torch 2.15.0, transformers 5.24.0, tokenizers 0.23.3, onnx 1.23.2.
"""

import argparse
import json
import warnings
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import DynamicCache, GPT2Config, GPT2LMHeadModel

END = "<|endoftext|>"


class Cached(torch.nn.Module):
    """GPT-2 with the cache as tensors: logits and `present` from ids, a mask over everything so far, and `past_key_values`."""

    def __init__(self, gpt2):
        super().__init__()
        self.gpt2 = gpt2

    def forward(self, input_ids, attention_mask, *past):
        cache = DynamicCache(list(zip(past[::2], past[1::2])))
        out = self.gpt2(input_ids=input_ids, attention_mask=attention_mask, past_key_values=cache, use_cache=True)
        return out.logits, *(each for layer in out.past_key_values.layers for each in (layer.keys, layer.values))


def byte_pairs(texts, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return tokenizer


def export(model, folder):
    config = model.config
    shape = (2, config.n_head, 3, config.n_embd // config.n_head)
    past = [torch.randn(shape) for _ in range(2 * config.n_layer)]
    names = [f"{layer}.{part}" for layer in range(config.n_layer) for part in ("key", "value")]
    torch.onnx.export(
        Cached(model).eval(), (torch.randint(1, config.vocab_size, (2, 5)), torch.ones(2, 8, dtype=torch.int64), *past), folder / "onnx" / "model.onnx", opset_version=17, dynamo=False,
        input_names=["input_ids", "attention_mask", *(f"past_key_values.{name}" for name in names)], output_names=["logits", *(f"present.{name}" for name in names)],
        dynamic_axes={"input_ids": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "total"}, "logits": {0: "batch", 1: "sequence"},
                      **{f"past_key_values.{name}": {0: "batch", 2: "past"} for name in names}, **{f"present.{name}": {0: "batch", 2: "total"} for name in names}})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("texts", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    for name, value in {"seed": 0, "layers": 4, "width": 256, "heads": 4, "positions": 256, "vocabulary": 2000}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    lines = options.texts.read_text(encoding="utf-8").splitlines()
    tokenizer = byte_pairs([text for line in lines for text in json.loads(line).values() if isinstance(text, str)], options.vocabulary)
    torch.manual_seed(options.seed)
    end = tokenizer.token_to_id(END)
    model = GPT2LMHeadModel(GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_positions=options.positions, n_embd=options.width, n_layer=options.layers, n_head=options.heads, bos_token_id=end, eos_token_id=end,
        attn_implementation="eager", embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0))
    (options.output / "onnx").mkdir(parents=True, exist_ok=True)
    export(model, options.output)
    model.config.architectures = ["GPT2LMHeadModel"]
    model.config.save_pretrained(options.output)
    model.generation_config.save_pretrained(options.output)
    tokenizer.save(str(options.output / "tokenizer.json"))
    settings = {"tokenizer_class": "GPT2Tokenizer", "bos_token": END, "eos_token": END, "unk_token": END, "model_max_length": options.positions}
    (options.output / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({"vocabulary": tokenizer.get_vocab_size(), "parameters": model.num_parameters()}))


main()
