"""A contact sheet of clips and operators, for looking at: python3 -m training.sheet OUT.png [height width seed]."""
import sys
import time

import numpy as np
import torch
from PIL import Image

from . import scenes, styles

if __name__ == "__main__":
    out, h, w, seed = sys.argv[1], *(int(a) for a in (sys.argv[2:5] + ["128", "128", "0"])[:3])
    torch.set_num_threads(1)
    columns, spent = [], {}
    for i in range(8 if w < 200 else 4):
        t = time.time()
        clean, noisy = scenes.clip(np.random.default_rng(seed * 100 + i), 5, h, w)
        spent["clip5"] = spent.get("clip5", 0) + time.time() - t
        x = torch.from_numpy(clean[4:5]).permute(0, 3, 1, 2) / 255
        column = [noisy[4]]
        for name, f in styles.STYLES.items():
            t = time.time()
            column.append((f(x)[0].permute(1, 2, 0) * 255).byte().numpy())
            spent[name] = spent.get(name, 0) + time.time() - t
        columns.append(np.concatenate(column))
    Image.fromarray(np.concatenate(columns, 1)).save(out)
    print({k: round(v * 1000) for k, v in spent.items()})
