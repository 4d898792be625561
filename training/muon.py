"""Muon: momentum whose matrix updates are made orthogonal by a Newton-Schulz iteration; matrices of one shape are handled as a batch."""
import collections

import torch
import torch.distributed


@torch.no_grad()
def orthogonal(g, steps=5):
    """[n, a, b] with a <= b -> approximately orthogonal rows."""
    x = g.bfloat16()
    x = x / (x.flatten(1).float().norm(dim=1).to(x.dtype).view(-1, 1, 1) + 1e-7)
    for _ in range(steps):
        a = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.float()


class Muon:
    def __init__(self, parameters, momentum=.95, rank=0, count=1):
        """With several processes (equal gradients) each one works out its share of the matrices."""
        self.groups, self.momentum, self.rank, self.count = collections.defaultdict(list), momentum, rank, count
        for p in parameters:
            self.groups[tuple(sorted(p.shape))].append(p)
        self.buffers = {k: torch.zeros(len(v), *k, device=v[0].device) for k, v in self.groups.items()}

    @torch.no_grad()
    def step(self, lr):
        for shape, members in self.groups.items():
            g = torch.stack([p.grad if p.shape == shape else p.grad.T for p in members])
            m = self.buffers[shape].lerp_(g, 1 - self.momentum)
            g = g.lerp(m, self.momentum)
            a, z = (len(members) * (self.rank + i) // self.count for i in (0, 1))
            update = torch.zeros_like(g)
            update[a:z] = orthogonal(g[a:z]) * (.2 * max(shape) ** .5 * lr)
            if self.count > 1:
                torch.distributed.all_reduce(update)
            for p, u in zip(members, update):
                p.mul_(1 - .01 * lr).sub_(u if p.shape == shape else u.T)
