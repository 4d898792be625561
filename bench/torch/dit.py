"""The forward pass of a Wan-style causal transformer in plain PyTorch, to be timed against ours.

Reads requests from standard input, a JSON object a line, answers each with one:
{"load": model.safetensors, "inputs": inputs.safetensors, "config": {...}, "threads": N} and {"run": output.bin or null}.
Follows the graph in packages/longlive/src/transformer.ts: keys of earlier frames and of the prompt come in, those of
the call's own frames go out. Needs torch alone.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F


def read_safetensors(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    types = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        kind = types[entry["dtype"]]
        size = torch.empty(0, dtype=kind).element_size()
        flat = torch.frombuffer(data, dtype=kind, count=(end - begin) // size, offset=begin)
        tensors[name] = flat.reshape(entry["shape"]).to(torch.float32).contiguous()
    return tensors


class Transformer:
    def __init__(self, weights, config):
        self.w = weights
        self.c = config

    def linear(self, x, name):
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def norm(self, x, scale, shift):
        return F.layer_norm(x, x.shape[-1:], scale, shift, self.c["eps"])

    def rms(self, x, name):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.c["eps"]) * self.w[name]

    def rotary(self, x, turn):
        """x [tokens, D]; turn [tokens, headDim / 2], complex."""
        pairs = torch.view_as_complex(x.reshape(x.shape[0], self.c["heads"], -1, 2))
        return torch.view_as_real(pairs * turn[:, None, :]).reshape(x.shape)

    def attention(self, q, k, v):
        """[queries, D], [keys, D], [keys, D] -> [queries, D]"""
        split = lambda x: x.reshape(x.shape[0], self.c["heads"], -1).transpose(0, 1)
        q, k, v = split(q), split(k), split(v)
        weights = torch.softmax(torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(1, 2)), -1)
        return torch.matmul(weights, v).transpose(0, 1).reshape(q.shape[1], -1)

    def block(self, i, x, inputs, turn):
        name = f"blocks.{i}"
        modulation = self.w[f"{name}.modulation"].reshape(6, -1) + inputs["e0"]
        shift, scale, gate, ffn_shift, ffn_scale, ffn_gate = modulation.unbind(0)
        y = self.norm(x, 1 + scale, shift)
        q = self.rotary(self.rms(self.linear(y, f"{name}.self_attn.q"), f"{name}.self_attn.norm_q.weight"), turn)
        k = self.rotary(self.rms(self.linear(y, f"{name}.self_attn.k"), f"{name}.self_attn.norm_k.weight"), turn)
        v = self.linear(y, f"{name}.self_attn.v")
        seen_k = torch.cat([inputs[f"past_k{i}"], k])
        seen_v = torch.cat([inputs[f"past_v{i}"], v])
        x = x + self.linear(self.attention(q, seen_k, seen_v), f"{name}.self_attn.o") * gate
        asked = self.norm(x, self.w[f"{name}.norm3.weight"], self.w[f"{name}.norm3.bias"])
        q = self.rms(self.linear(asked, f"{name}.cross_attn.q"), f"{name}.cross_attn.norm_q.weight")
        x = x + self.linear(self.attention(q, inputs[f"text_k{i}"], inputs[f"text_v{i}"]), f"{name}.cross_attn.o")
        z = self.norm(x, 1 + ffn_scale, ffn_shift)
        hidden = F.gelu(self.linear(z, f"{name}.ffn.0"), approximate="tanh")
        return x + self.linear(hidden, f"{name}.ffn.2") * ffn_gate, k, v

    def forward(self, inputs):
        """-> prediction [frames, C, height, width], keys of the own tokens"""
        latents = inputs["latents"]
        frames, channels, height, width = latents.shape
        _, ph, pw = self.c["patch"]
        rows, columns = height // ph, width // pw
        patches = latents.reshape(frames, channels, rows, ph, columns, pw).permute(0, 2, 4, 1, 3, 5)
        patches = patches.reshape(frames * rows * columns, -1)
        weight = self.w["patch_embedding.weight"].reshape(self.c["dim"], -1)
        x = F.linear(patches, weight, self.w["patch_embedding.bias"])
        turn = torch.complex(inputs["cos"], inputs["sin"])
        keys = []
        for i in range(self.c["layers"]):
            x, k, v = self.block(i, x, inputs, turn)
            keys.append((k, v))
        shift, scale = (self.w["head.modulation"].reshape(2, -1) + inputs["e"]).unbind(0)
        head = self.linear(self.norm(x, 1 + scale, shift), "head.head")
        head = head.reshape(frames, rows, columns, ph, pw, -1).permute(0, 5, 1, 3, 2, 4)
        return head.reshape(frames, -1, height, width).contiguous(), keys


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    model = inputs = None
    for line in sys.stdin:
        request = json.loads(line)
        if "load" in request:
            torch.set_num_threads(request["threads"])
            model = Transformer(read_safetensors(request["load"]), request["config"])
            inputs = read_safetensors(request["inputs"])
            answer = {"version": torch.__version__}
        else:
            with torch.inference_mode():
                start, cpu_start = time.perf_counter(), cpu_seconds()
                prediction, _ = model.forward(inputs)
                wall, cpu = time.perf_counter() - start, cpu_seconds() - cpu_start
            if request["run"]:
                with open(request["run"], "wb") as file:
                    file.write(prediction.numpy().tobytes())
            answer = {"wallMs": 1000 * wall, "cpuMs": 1000 * cpu}
        print(json.dumps(answer), flush=True)


main()
