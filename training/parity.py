"""The parity fixture: inputs and outputs of every part, from the exported weights, in float32, for checking another implementation."""
import json

import numpy as np
import torch

from . import scenes, stream, tensors

PROMPTS = ["photo", "A beautiful oil painting, vibrant colors", "xyzzy plugh a man as thermal camera"]
WIDTH, HEIGHT = 96, 64
STEPS = {"normal": [600, 500], "vace": [700, 500], "text": [1000, 500]}
ABOUT = {
    "input": "u8 [25,64,96,3] frames; the stream gives 13, then 12; in text mode, which has no input, 9, then 12", "latents.{k}": "encoder latents of chunk k (scaled by mean/std), [1,64,frames,8,12]",
    "decoded.{k}": "decoder output of latents.{k} as a stream, in [-1,1] after the clamp; frames 0, 4, 8, (12) of the chunk, [1,3,n,64,96]",
    "ids.{p}": "i32 token ids of prompt p, padded to 24", "count.{p}": "i32 number of real tokens", "text.{p}": "text encoder output [1,24,128]",
    "{mode}.noise.{i}": "one frame of noise as drawn, for all chunks: i = 0 at the start, before its last channels are made smooth, i = 1 before the second step",
    "context": "chunk 1 attends to the last latent frame of chunk 0 by its keys and values of the last step",
    "{mode}.{k}.x0.{i}": "prediction after step i of chunk k", "{mode}.{k}.frames": "final frames 0, 4, 8, (12) of the chunk, u8 [n,64,96,3]",
    "rounding": "weights are the bf16 values of the files, arithmetic float32, tanh GELU in the transformer, cos/sin of the timestep from float64",
}


@torch.no_grad()
def write(models, folder):
    gelu = stream.Gelu.exact
    stream.exact()
    m = stream.Models(models)
    frames = scenes.clip(np.random.default_rng(3), 25, HEIGHT, WIDTH)[1]
    out = {"input": torch.from_numpy(frames)}
    encoder = decoder = None
    for k, (a, z) in enumerate([(0, 13), (13, 25)]):
        video = torch.from_numpy(frames[a:z]).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        latent, encoder = m.vae.encode(video, encoder)
        picture, decoder = m.vae.decode(latent, decoder)
        out[f"latents.{k}"], out[f"decoded.{k}"] = latent, picture[:, :, ::4]
    for p, prompt in enumerate(PROMPTS):
        ids, count = m.tokenizer.batch([prompt])
        out[f"ids.{p}"], out[f"count.{p}"], out[f"text.{p}"] = ids.int(), count.int(), m.text(ids, count)
    for mode, steps in STEPS.items():
        for k, log, made in run(m, mode, steps, frames):
            for i in range(2):
                out[f"{mode}.noise.{i}"], out[f"{mode}.{k}.x0.{i}"] = log["noise"][i], log["x0"][k][i]
            out[f"{mode}.{k}.frames"] = torch.from_numpy(made[::4])
    folder.mkdir(parents=True, exist_ok=True)
    tensors.save(folder / "parity.safetensors", out, {"model": "longlive-tiny"})
    about = {"model": "models/longlive-tiny", "prompts": PROMPTS, "stream_prompt": PROMPTS[1], "width": WIDTH, "height": HEIGHT, "noise_scale": .7,
             "steps": STEPS, "chunks": [13, 12], "tensors": ABOUT}
    tensors.replace(folder / "parity.json", (json.dumps(about, indent=2) + "\n").encode())
    stream.Gelu.exact = gelu


def run(m, mode, steps, frames):
    log = {}
    s = stream.Stream(m, PROMPTS[1], mode, steps=steps, seed=11, log=log)
    # without video a stream starts with three latents, as with later chunks
    start = 9 if mode == "text" else 13
    for k, (a, z) in enumerate([(0, start), (start, start + 12)]):
        yield k, log, s.chunk(frames[a:z])
