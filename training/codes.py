"""Where word embeddings start: every look has a random code, and a word the mean code of the looks whose phrasings it is in.

With plain random embeddings most of a short training goes into finding out which of hundreds of words belong together. Words that all looks share
(of, the, a) get codes that cancel out, words of no look none.
"""
from collections import Counter

import torch

from . import prompts
from .tokenizer import split

SPREAD = .35


def codes(vocab, dim, seed=77):
    """[words, dim], each word of one look only with unit deviation, plus a small random part that tells words apart."""
    g = torch.Generator().manual_seed(seed)
    looks = {name: Counter(w for phrase in text.split("|") for w in set(split(phrase))) for name, text in prompts.PHRASES.items()}
    code = {name: torch.randn(dim, generator=g) for name in looks}
    table = SPREAD * torch.randn(len(vocab), dim, generator=g)
    for word, i in vocab.items():
        shares = {name: count[word] for name, count in looks.items() if count[word]}
        if shares:
            total = sum(shares.values())
            table[i] += sum(n / total * code[name] for name, n in shares.items())
    return table
