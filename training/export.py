"""Stage 5, export: python3 -m training.export [FOLDER]. Writes models/longlive-tiny (bf16) and the parity fixture from the latest
checkpoint; or both into FOLDER.

With no transformer checkpoint yet the weights are random: the format is final from the first export on. Every file is replaced atomically.
"""
import json
import subprocess
import sys
from pathlib import Path

import torch

from . import dream, parity, sampler, seams, tensors, text_encoder, tokenizer, transformer, vae
from .autoencoder import GAIN
from .data import CACHE

ROOT = Path(__file__).parent.parent
OUT, FIXTURE = ROOT / "models" / "longlive-tiny", ROOT / "fixtures" / "tiny"


def rounded(t):
    """Matrices in bf16; biases, norms and modulations in float32."""
    return t.bfloat16() if t.dim() > 1 and t.numel() > 2048 else t.float()


def config(v, words):
    return {
        "model_type": "longlive", "name": "longlive-tiny", "default_size": {"width": 320, "height": 176}, "prediction_type": "sample",
        "num_frame_per_block": 3, "local_attn_size": 4, "sink_size": 0, "timestep_shift": 5.0, "context": "last_step", "noise": "fixed",
        "noise_gain": sampler.GAIN, "smooth_noise": {"orders": list(dream.SMOOTH), "turn": list(dream.TURN)}, "later_steps": [250, 500, 750], "result": "mean_of_steps", "even_pictures": True,
        "transformer": {"dim": 256, "ffn_dim": 1024, "num_heads": 4, "num_layers": 4, "in_dim": vae.Z, "out_dim": vae.Z, "patch_size": [1, 2, 2],
                        "freq_dim": 128, "attention_window": [8, 14], "attention_whole": [11, 20], "linears": "int8", "text_dim": 128, "text_len": tokenizer.LENGTH, "eps": 1e-6, "weights": "transformer.safetensors"},
        "vace": {"layers": list(transformer.VACE_LAYERS), "in_dim": transformer.VACE_IN, "hints": "first_step", "weights": "transformer.safetensors"},
        "text_encoder": {"vocab_size": words, "dim": text_encoder.DIM, "dim_attn": text_encoder.DIM, "dim_ffn": text_encoder.FFN, "num_heads": text_encoder.HEADS,
                         "num_layers": text_encoder.LAYERS, "num_buckets": text_encoder.BUCKETS, "max_distance": 128, "weights": "text_encoder.safetensors"},
        "vae": {"type": "tiny", "z_dim": vae.Z, "dim": vae.DIM, "encoder_blocks": vae.ENC, "decoder_blocks": vae.DEC, "mlp_ratio": vae.RATIO, "linears": "int8",
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


def export(out=OUT, fixture=FIXTURE):
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip() or "none"
    v, saved = vae.Vae.load(CACHE / "vae.pt"), torch.load(CACHE / "vae.pt", map_location="cpu")
    of_vae = {"steps": saved["steps"], "psnr": round(saved["psnr"], 2)}
    if (CACHE / "decoder.pt").exists():
        finished = torch.load(CACHE / "decoder.pt", map_location="cpu")
        v.decoder.load_state_dict({**v.decoder.finish(), **finished["weights"]})
        of_vae = {"steps": f"{saved['steps']}, decoder {finished['steps']} more", "psnr": round(finished["psnr"], 2), "loss": round(finished["loss"], 4)}
    file = next((f for f in (CACHE / "transformer.pt", CACHE / "start.pt") if f.exists()), None)
    state, about = torch.load(file, map_location="cpu") if file else {}, {"steps": 0}
    torch.manual_seed(0)
    tok = tokenizer.Tokenizer(state.get("vocab"))
    net, text = transformer.Transformer(v_scale(v)), text_encoder.TextEncoder(len(tok.vocab))
    if state:
        weights = state.get("ema", state)
        net.load_state_dict(weights["net"]), text.load_state_dict(weights["text"])
        about = {"steps": state.get("steps", 0), "loss": json.dumps(state.get("losses", {})), "minutes": round(state.get("seconds", 0) / 60)}
    net = net.float().fold()
    out.mkdir(parents=True, exist_ok=True)
    meta = {"format": "pt", "name": "longlive-tiny", "recipe": commit, "seed": 0, "license": "Apache-2.0"}
    tensors.save(out / "vae.safetensors", {**named(v), **seams.vectors(v)}, {**meta, **of_vae})
    tensors.save(out / "transformer.safetensors", named(net), {**meta, **about})
    of_text = {"also": state["unknown"]} if "unknown" in state else {}
    tensors.save(out / "text_encoder.safetensors", named(text), {**meta, **about, **of_text})
    tensors.replace(out / "tokenizer.json", json.dumps(tok.file(), indent=1, ensure_ascii=False).encode())
    tensors.replace(out / "config.json", (json.dumps(config(v, len(tok.vocab)), indent=2) + "\n").encode())
    parity.write(out, fixture)
    return sum(f.stat().st_size for f in out.iterdir() if f.is_file()) / 1e6


if __name__ == "__main__":
    torch.set_num_threads(1)
    where = [Path(a) for a in sys.argv[1:2]]
    print("exported %.1f MB" % (export(where[0], where[0] / "fixture") if where else export()))
