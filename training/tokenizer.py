"""Word-piece tokenizer: whole known words, otherwise characters, so that no word of plain characters is unknown.

Written out as tokenizer.json in the Hugging Face format; `encode` here gives the same ids.
"""
import re
import unicodedata

import torch

LENGTH = 24
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789" + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" + "äöüßéèêàáâçñíóúåøæ"


def split(text):
    """Lower case, NFKC, then words and single punctuation marks (as BertPreTokenizer)."""
    text = unicodedata.normalize("NFKC", text).lower()
    mark = lambda c: 33 <= ord(c) <= 47 or 58 <= ord(c) <= 64 or 91 <= ord(c) <= 96 or 123 <= ord(c) <= 126 or unicodedata.category(c).startswith("P")
    return re.sub(".", lambda m: f" {m[0]} " if mark(m[0]) else m[0], text, flags=re.S).split()


def vocabulary():
    from .prompts import words
    return {t: i for i, t in enumerate(["<pad>", "</s>", "[UNK]", *CHARACTERS, *("##" + c for c in CHARACTERS), *words()])}


class Tokenizer:
    def __init__(self, vocab=None):
        """vocab: of a trained model; default: all words of today's prompts."""
        self.vocab = vocab or vocabulary()

    def word(self, text):
        out, at = [], 0
        while at < len(text):
            for end in range(len(text), at, -1):
                piece = ("##" if at else "") + text[at:end]
                if piece in self.vocab:
                    break
            else:
                return [2]
            out.append(self.vocab[piece])
            at = end
        return out

    def encode(self, text):
        """Ids without padding, at most LENGTH, the last one </s>."""
        return [i for w in split(text) for i in self.word(w)][:LENGTH - 1] + [1]

    def batch(self, texts):
        """Padded ids [n, LENGTH] and counts [n]."""
        rows = [self.encode(t) for t in texts]
        return torch.tensor([r + [0] * (LENGTH - len(r)) for r in rows]), torch.tensor([len(r) for r in rows])

    def file(self):
        special = lambda i, t: {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        return {
            "version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [special(0, "<pad>"), special(1, "</s>"), special(2, "[UNK]")],
            "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing",
                               "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}},
                                        {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                               "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": self.vocab},
        }
