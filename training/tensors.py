"""Writing and reading safetensors files (bfloat16, float32 and u8), atomically."""
import json
import os
import struct

import numpy as np
import torch

KINDS = {torch.bfloat16: "BF16", torch.float32: "F32", torch.uint8: "U8", torch.int32: "I32"}
TYPES = {v: k for k, v in KINDS.items()}


def raw(t):
    t = t.detach().contiguous()
    return (t.view(torch.int16) if t.dtype == torch.bfloat16 else t).numpy().tobytes()


def replace(path, data):
    temporary = f"{path}.tmp"
    with open(temporary, "wb") as f:
        f.write(data)
    os.replace(temporary, path)


def save(path, tensors, metadata):
    header, blobs, at = {"__metadata__": {k: str(v) for k, v in metadata.items()}}, [], 0
    for name, t in tensors.items():
        blob = raw(t)
        header[name] = {"dtype": KINDS[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    replace(path, struct.pack("<Q", len(text)) + text + b"".join(blobs))


def load(path):
    data = open(path, "rb").read()
    size, = struct.unpack("<Q", data[:8])
    header, out = json.loads(data[8:8 + size]), {}
    for name, h in header.items():
        if name != "__metadata__":
            a, z = h["data_offsets"]
            kind = TYPES[h["dtype"]]
            flat = np.frombuffer(data[8 + size + a:8 + size + z], {torch.bfloat16: np.int16, torch.float32: np.float32, torch.uint8: np.uint8, torch.int32: np.int32}[kind]).copy()
            t = torch.from_numpy(flat)
            out[name] = (t.view(torch.bfloat16) if kind == torch.bfloat16 else t).view(h["shape"])
    return out, header.get("__metadata__", {})
