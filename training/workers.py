"""Single-threaded processes that train one model together: on a busy machine about twice as fast as threads, which wait for each other at every
operation. Every process takes its share of the batch; gradients are averaged.
"""
import datetime

import torch
import torch.distributed
import torch.multiprocessing


def join(rank, count, port=29517):
    """Joins the group of processes; one process alone needs none."""
    if count > 1:
        torch.distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=count, timeout=datetime.timedelta(seconds=900))


def start(work, arguments, count):
    """Runs work(rank, arguments) in `count` processes."""
    torch.multiprocessing.spawn(work, (arguments,), count) if count > 1 else work(0, arguments)


def average(parameters, count):
    """Replaces the gradients by their mean over the processes; what a batch did not use has gradients of zero."""
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    if count == 1:
        return
    flat = torch.cat([p.grad.flatten() for p in parameters])
    torch.distributed.all_reduce(flat)
    flat /= count
    for p, g in zip(parameters, flat.split([p.numel() for p in parameters])):
        p.grad.copy_(g.view_as(p))


def clock(seconds, count):
    """The first process's time, so that all of them follow one schedule."""
    t = torch.tensor([seconds], dtype=torch.float64)
    if count > 1:
        torch.distributed.broadcast(t, 0)
    return float(t)
