"""Stage 5, export: python3 -m training.export. Writes models/longlive-tiny (bf16) and the parity fixture from the latest checkpoint.

With no transformer checkpoint yet the weights are random: the format is final from the first export on. Every file is replaced atomically.
"""
import copy
import json
import subprocess
from pathlib import Path

import torch

from . import parity, tensors, text_encoder, tokenizer, transformer, vae
from .autoencoder import GAIN
from .data import CACHE

ROOT = Path(__file__).parent.parent
OUT = ROOT / "models" / "longlive-tiny"


def rounded(t):
    """Matrices in bf16; biases, norms and modulations in float32."""
    return t.bfloat16() if t.dim() > 1 and t.numel() > 2048 else t.float()


def config(v, words):
    return {
        "model_type": "longlive", "name": "longlive-tiny", "default_size": {"width": 320, "height": 176}, "prediction_type": "sample",
        "num_frame_per_block": 3, "local_attn_size": 6, "sink_size": 0, "timestep_shift": 5.0,
        "transformer": {"dim": 256, "ffn_dim": 1024, "num_heads": 4, "num_layers": 4, "in_dim": 48, "out_dim": 48, "patch_size": [1, 2, 2],
                        "freq_dim": 128, "text_dim": 128, "text_len": tokenizer.LENGTH, "eps": 1e-6, "weights": "transformer.safetensors"},
        "vace": {"layers": list(transformer.VACE_LAYERS), "in_dim": transformer.VACE_IN, "weights": "transformer.safetensors"},
        "text_encoder": {"vocab_size": words, "dim": text_encoder.DIM, "dim_attn": text_encoder.DIM, "dim_ffn": text_encoder.FFN, "num_heads": text_encoder.HEADS,
                         "num_layers": text_encoder.LAYERS, "num_buckets": text_encoder.BUCKETS, "max_distance": 128, "weights": "text_encoder.safetensors"},
        "vae": {"type": "tiny", "z_dim": vae.Z, "dim": vae.DIM, "encoder_blocks": vae.ENC, "decoder_blocks": vae.DEC, "mlp_ratio": vae.RATIO,
                "mean": v.mean.tolist(), "std": v.std.tolist(), "weights": "vae.safetensors"},
    }


def named(model):
    """Tensors under Wan's names; patch embeddings get their convolution shape."""
    out = {}
    for k, t in model.state_dict().items():
        if k.startswith("scale_"):
            continue
        if k.endswith("patch_embedding.weight"):
            t = t.view(t.shape[0], -1, 1, 2, 2)
        out[k] = rounded(t)
    return out


def v_scale(v):
    # std = deviation / s with s = g sqrt(w), w ~ column * deviation; the deviation is 1 up to training drift
    return 1 / v.std


def export(net=None, text=None, about=None):
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip() or "none"
    v = vae.Vae.load(CACHE / "vae.pt")
    saved = torch.load(CACHE / "vae.pt", map_location="cpu")
    if net is None:
        torch.manual_seed(0)
        net, text, about = transformer.Transformer(v_scale(v)), text_encoder.TextEncoder(), {"steps": 0}
        if (CACHE / "transformer.pt").exists():
            state = torch.load(CACHE / "transformer.pt", map_location="cpu")
            net.load_state_dict(state["ema"]["net"]), text.load_state_dict(state["ema"]["text"])
            about = {"steps": state["steps"], "loss": round(state["loss"], 4), "minutes": round(state["seconds"] / 60)}
    net = copy.deepcopy(net).float().cpu().fold()
    OUT.mkdir(parents=True, exist_ok=True)
    tok = tokenizer.Tokenizer()
    meta = {"format": "pt", "name": "longlive-tiny", "recipe": commit, "seed": 0, "license": "Apache-2.0"}
    tensors.save(OUT / "vae.safetensors", named(v), {**meta, "steps": saved["steps"], "psnr": round(saved["psnr"], 2)})
    tensors.save(OUT / "transformer.safetensors", named(net), {**meta, **about})
    tensors.save(OUT / "text_encoder.safetensors", named(text), {**meta, **about})
    tensors.replace(OUT / "tokenizer.json", json.dumps(tok.file(), indent=1, ensure_ascii=False).encode())
    tensors.replace(OUT / "config.json", (json.dumps(config(v, len(tok.vocab)), indent=2) + "\n").encode())
    parity.write(OUT, ROOT / "fixtures" / "tiny")


if __name__ == "__main__":
    torch.set_num_threads(2)
    export()
    print("exported", sum(f.stat().st_size for f in OUT.iterdir()) / 1e6, "MB")
