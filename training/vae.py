"""The tiny causal autoencoder: 8x8 pixels x 4 frames -> one latent of 64 numbers; the first frame is a group of its own.

A linear part (skip), fitted by principal components, carries nearly all of the picture; a small convolutional network beside it removes block
seams and noise. Streaming needs one tensor of state per direction: the input features of the last group. Where a picture is to keep the structure of an
input video, the decoder takes a glance at that, too, and so shows detail that 64 numbers cannot hold.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

Z, DIM, ENC, DEC, RATIO, PIX, DETAIL = 64, 128, 2, 3, 3, 768, 128


def group(v):
    """[b, 3, t, H, W] with t a multiple of 4 -> [b, 768, t/4, H/8, W/8]; channel ((t*3+c)*8+py)*8+px."""
    b, c, t, h, w = v.shape
    v = v.view(b, c, t // 4, 4, h // 8, 8, w // 8, 8)
    return v.permute(0, 3, 1, 5, 7, 2, 4, 6).reshape(b, PIX, t // 4, h // 8, w // 8)


def groups(video, first):
    """The groups of a video; the first frame of a stream fills one."""
    return group(torch.cat([video[:, :, :1].expand(-1, -1, 3, -1, -1), video], 2) if first else video)


def ungroup(u):
    b, _, g, h, w = u.shape
    return u.view(b, 4, 3, 8, 8, g, h, w).permute(0, 2, 5, 1, 6, 3, 7, 4).reshape(b, 3, g * 4, h * 8, w * 8)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.dw = nn.Conv2d(DIM, DIM, 3, padding=1, groups=DIM)
        self.norm = nn.LayerNorm(DIM, eps=1e-6)
        self.fc1, self.fc2 = nn.Linear(DIM, DIM * RATIO), nn.Linear(DIM * RATIO, DIM)

    def forward(self, x):
        """x [n, h, w, DIM]"""
        y = self.dw(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.fc2(F.gelu(self.fc1(self.norm(y))))


class Glance(nn.Module):
    """At pixels whose structure is to be kept: their tone tells the network what it looks at, and of their detail, which latents do not hold, it lets
    through as much as fits the look. Of mid grey, 0, it sees nothing. Lets nothing through at first."""

    def __init__(self):
        super().__init__()
        self.tone, self.detail = nn.Linear(PIX, DIM, bias=False), nn.Linear(PIX, DETAIL, bias=False)
        self.gate, self.show = nn.Linear(DIM, DETAIL), nn.Linear(DETAIL, PIX, bias=False)
        for p in (self.tone.weight, self.gate.weight, self.gate.bias):
            nn.init.zeros_(p)

    @torch.no_grad()
    def fit(self, encoder, decoder, pixels):
        """Detail: the principal components of what the linear parts leave of pixels [n, PIX]."""
        left = torch.eye(PIX) - decoder.weight @ encoder.weight
        r = pixels @ left.T
        vectors = torch.linalg.eigh((r.T @ r).double())[1].flip(1)[:, :DETAIL].float()
        self.show.weight.copy_(vectors), self.detail.weight.copy_(vectors.T @ left)


class Coder(nn.Module):
    """One direction. A 'first' call starts from zero features, a later one from the last group's. With `placed` it knows which of the four latents of a
    transformer's token each one is, so that it can tell a token's edge from one of the picture, and it may be `given` pixels to look at."""

    def __init__(self, fan_in, fan_out, blocks, placed=False):
        super().__init__()
        self.add_module("in", nn.Linear(fan_in, DIM))
        self.prev = nn.Linear(DIM, DIM, bias=False)
        self.blocks = nn.ModuleList(Block() for _ in range(blocks))
        self.norm = nn.LayerNorm(DIM, eps=1e-6)
        self.out, self.skip = nn.Linear(DIM, fan_out), nn.Linear(fan_in, fan_out)
        nn.init.zeros_(self.out.weight), nn.init.zeros_(self.out.bias)
        self.place = nn.Parameter(torch.zeros(2, 2, DIM)) if placed else None
        self.seen = Glance() if placed else None

    def forward(self, u, state=None, given=None):
        """u [b, fan_in, g, h, w], given [b, PIX, g, h, w] -> [b, fan_out, g, h, w], state [b, 1, h, w, DIM]"""
        u = u.permute(0, 2, 3, 4, 1)
        a = getattr(self, "in")(u)
        before = torch.cat([torch.zeros_like(a[:, :1]) if state is None else state, a[:, :-1]], 1)
        x = a + self.prev(before)
        shape = x.shape
        if self.place is not None:
            x = x + self.place.repeat(shape[2] // 2, shape[3] // 2, 1)
        if given is not None:
            given = given.permute(0, 2, 3, 4, 1)
            x = x + self.seen.tone(given)
        x = x.flatten(0, 1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x).view(shape)
        y = self.skip(u) + self.out(x)
        if given is not None:
            y = y + self.seen.show(self.seen.gate(x) * self.seen.detail(given))
        return y.permute(0, 4, 1, 2, 3), a[:, -1:]


    def finish(self):
        """What the last stage adds, as it is now."""
        return {} if self.place is None else {k: v for k, v in self.state_dict().items() if k == "place" or k.startswith("seen.")}


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Coder(PIX, Z, ENC), Coder(Z, PIX, DEC, placed=True)
        self.mean, self.std = torch.zeros(Z), torch.ones(Z)

    @staticmethod
    def load(path):
        saved, vae = torch.load(path, map_location="cpu"), Vae()
        vae.load_state_dict({**{f"decoder.{k}": v for k, v in vae.decoder.finish().items()}, **saved["weights"]})
        vae.mean, vae.std = saved["mean"], saved["std"]
        return vae.eval()

    def scale(self, z, inverse=False):
        m, s = self.mean.view(1, -1, 1, 1, 1).to(z), self.std.view(1, -1, 1, 1, 1).to(z)
        return z * s + m if inverse else (z - m) / s

    def encode(self, video, state=None):
        """video [b, 3, t, H, W] in [-1, 1]: 1 + 4k frames from the start (state None) or 4k frames -> latents, state."""
        mu, state = self.encoder(groups(video, state is None), state)
        return self.scale(mu), state

    def decode(self, z, state=None, given=None):
        """Latents -> video, state. given: the input video whose structure the latents keep, if there is one, as in `encode`."""
        first = state is None
        u, state = self.decoder(self.scale(z, inverse=True), state, None if given is None else groups(given, first))
        video = ungroup(u).clamp(-1, 1)
        return (video[:, :, 3:] if first else video), state

    def grey(self, frames, height, width):
        """Latents of a mid-grey stream, [1, Z, frames, h, w] (height and width in latents); constant after two groups."""
        z, _ = self.encode(torch.zeros(1, 3, 9, height * 8, width * 8))
        return torch.cat([z, z[:, :, -1:].expand(-1, -1, max(0, frames - 3), -1, -1)], 2)[:, :, :frames]
