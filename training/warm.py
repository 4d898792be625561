"""Warm start: python3 -m training.warm OLD_FOLDER. Carries a trained model over to a new autoencoder and vocabulary.

OLD_FOLDER holds vae.pt, transformer.pt and model/tokenizer.json of a run with other latents. The latents of the same clips under both autoencoders give
linear maps either way (least squares); these are moved into the patch embeddings and the head. Half of each word's embedding is kept, besides the code of its looks;
everything else stays as it is. Writes start.pt, from which a new run starts.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

from . import autoencoder, vae
from .codes import codes
from .data import CACHE
from .export import v_scale
from .text_encoder import TextEncoder
from .tokenizer import Tokenizer
from .transformer import Transformer


def old_vae(path):
    """The old autoencoder, whatever the number of its latent channels."""
    saved, now = torch.load(path, map_location="cpu"), vae.Z
    vae.Z = len(saved["mean"])
    try:
        return vae.Vae.load(path)
    finally:
        vae.Z = now


def least_squares(a, b):
    """Matrix and offset with b = a @ matrix.T + offset; a, b [n, channels]."""
    one = torch.cat([a, torch.ones(len(a), 1)], 1).double()
    solution = torch.linalg.solve(one.T @ one + 1e-3 * len(a) * 1e-3 * torch.eye(one.shape[1], dtype=torch.float64), one.T @ b.double()).float()
    return solution[:-1].T, solution[-1]


@torch.no_grad()
def pairs(old, new, clips=48):
    video = autoencoder.batch(np.random.default_rng(11), autoencoder.shards(), clips, 128)
    flat = lambda v: torch.cat([v.encode(x)[0].permute(0, 2, 3, 4, 1).flatten(0, 3) for x in video.split(8)])
    return flat(old), flat(new)


@torch.no_grad()
def carry(old_weights, maps, new):
    """Weights of the old network in the new one: the three ends through the maps, the rest as it is."""
    (to_old, to_old_0), (to_new, to_new_0) = maps
    scale_in, scale_out = old_weights["scale_in"], old_weights["scale_out"]
    own, z = new.state_dict(), len(scale_in)
    for k, t in old_weights.items():
        if own.get(k) is not None and own[k].shape == t.shape:
            own[k].copy_(t)
    expand = lambda w, scale: (torch.einsum("dop,oi->dip", w.view(len(w), z, 4) / scale[:, None], to_old), torch.einsum("dop,o->d", w.view(len(w), z, 4) / scale[:, None], to_old_0))
    weight, shift = expand(old_weights["patch_embedding.weight"], scale_in)
    own["patch_embedding.weight"].copy_((weight * new.scale_in[:, None]).flatten(1))
    own["patch_embedding.bias"].copy_(old_weights["patch_embedding.bias"] + shift)
    w = old_weights["vace_patch_embedding.weight"]
    kept, painted = (expand(part, scale_out) for part in (w[:, :4 * z], w[:, 4 * z:8 * z]))
    own["vace_patch_embedding.weight"].copy_(torch.cat([*((part * new.scale_out[:, None]).flatten(1) for part, _ in (kept, painted)), w[:, 8 * z:]], 1))
    own["vace_patch_embedding.bias"].copy_(old_weights["vace_patch_embedding.bias"] + kept[1] + painted[1])
    head = old_weights["head.head.weight"].view(4, z, -1) * scale_out[:, None]
    bias = old_weights["head.head.bias"].view(4, z) * scale_out
    own["head.head.weight"].copy_((torch.einsum("io,pod->pid", to_new, head) / new.scale_out[:, None]).flatten(0, 1))
    own["head.head.bias"].copy_(((bias @ to_new.T + to_new_0) / new.scale_out).flatten())
    new.load_state_dict(own)


@torch.no_grad()
def words(old_text, old_vocab, text, vocab):
    own = text.state_dict()
    for k, t in old_text.items():
        if own[k].shape == t.shape and "token_embedding" not in k:
            own[k].copy_(t)
    table, known = own["token_embedding.weight"], old_text["token_embedding.weight"]
    table.copy_(codes(vocab, table.shape[1]))
    for word, i in vocab.items():
        if word in old_vocab:
            table[i] += .5 * known[old_vocab[word]]
    text.load_state_dict(own)
    return sum(w in old_vocab for w in vocab)


def main():
    folder = Path(sys.argv[1])
    torch.set_num_threads(1), torch.manual_seed(0)
    old, new = old_vae(folder / "vae.pt"), vae.Vae.load(CACHE / "vae.pt")
    a, b = pairs(old, new)
    maps = least_squares(b, a), least_squares(a, b)
    for name, (m, o), (x, y) in zip(("to old", "to new"), maps, ((b, a), (a, b))):
        print(name, "variance explained %.4f" % float(1 - (x @ m.T + o - y).var() / y.var()))
    state = torch.load(folder / "transformer.pt", map_location="cpu")["ema"]
    vocab = Tokenizer().vocab
    net, text = Transformer(v_scale(new)), TextEncoder(len(vocab))
    carry(state["net"], maps, net)
    known = words(state["text"], json.loads((folder / "model" / "tokenizer.json").read_text())["model"]["vocab"], text, vocab)
    print("words kept", known, "of", len(vocab))
    torch.save({"net": net.state_dict(), "text": text.state_dict(), "vocab": vocab}, CACHE / "start.pt")


if __name__ == "__main__":
    main()
