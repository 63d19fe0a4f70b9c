"""FLUX.1's transformer in eager PyTorch, as a Python user runs it: the baseline for the engine's forward pass."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def sinusoid(t, width=256):
    half = width // 2
    rate = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32) / half)
    angle = t[:, None].float() * rate
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def rope(positions, widths, theta=10000.0):
    angles = []
    for axis, width in enumerate(widths):
        rate = theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        angles.append(torch.outer(positions[:, axis].double(), rate))
    angle = torch.cat(angles, dim=1).repeat_interleave(2, dim=1)
    return angle.cos().float(), angle.sin().float()


def rotate(x, cos, sin):
    real, imaginary = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
    turned = torch.stack([-imaginary, real], dim=-1).flatten(3)
    return (x.float() * cos + turned.float() * sin).to(x.dtype)


class Embedding(nn.Module):
    def __init__(self, inner, width):
        super().__init__()
        self.linear_1 = nn.Linear(inner, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class Modulation(nn.Module):
    def __init__(self, width, parts):
        super().__init__()
        self.linear = nn.Linear(width, parts * width)
        self.parts = parts

    def forward(self, temb):
        return self.linear(F.silu(temb))[:, None].chunk(self.parts, dim=-1)


class Gelu(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.proj = nn.Linear(width, 4 * width)

    def forward(self, x):
        return F.gelu(self.proj(x), approximate="tanh")


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.ModuleList([Gelu(width), nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x):
        for layer in self.net:
            x = layer(x)
        return x


class Attention(nn.Module):
    def __init__(self, width, heads, joint):
        super().__init__()
        self.heads = heads
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.norm_q, self.norm_k = (nn.RMSNorm(width // heads, eps=1e-6) for _ in range(2))
        if joint:
            self.to_out = nn.ModuleList([nn.Linear(width, width)])
            self.add_q_proj, self.add_k_proj, self.add_v_proj, self.to_add_out = (nn.Linear(width, width) for _ in range(4))
            self.norm_added_q, self.norm_added_k = (nn.RMSNorm(width // heads, eps=1e-6) for _ in range(2))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def qkv(self, x):
        return self.norm_q(self.split(self.to_q(x))), self.norm_k(self.split(self.to_k(x))), self.split(self.to_v(x))

    def added_qkv(self, x):
        q, k, v = self.add_q_proj(x), self.add_k_proj(x), self.add_v_proj(x)
        return self.norm_added_q(self.split(q)), self.norm_added_k(self.split(k)), self.split(v)


def attend(q, k, v, cos, sin):
    return F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v).transpose(1, 2).flatten(2)


class DoubleBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm1_context = Modulation(width, 6), Modulation(width, 6)
        self.attn = Attention(width, heads, joint=True)
        self.ff, self.ff_context = FeedForward(width), FeedForward(width)
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)

    def forward(self, img, txt, temb, cos, sin):
        shift, scale, gate, shift2, scale2, gate2 = self.norm1(temb)
        tshift, tscale, tgate, tshift2, tscale2, tgate2 = self.norm1_context(temb)
        q, k, v = self.attn.qkv(self.norm(img) * (1 + scale) + shift)
        tq, tk, tv = self.attn.added_qkv(self.norm(txt) * (1 + tscale) + tshift)
        out = attend(torch.cat([tq, q], 2), torch.cat([tk, k], 2), torch.cat([tv, v], 2), cos, sin)
        tout, out = out.split([txt.shape[1], img.shape[1]], dim=1)
        img = img + gate * self.attn.to_out[0](out)
        img = img + gate2 * self.ff(self.norm(img) * (1 + scale2) + shift2)
        txt = txt + tgate * self.attn.to_add_out(tout)
        return img, txt + tgate2 * self.ff_context(self.norm(txt) * (1 + tscale2) + tshift2)


class SingleBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm = Modulation(width, 3)
        self.attn = Attention(width, heads, joint=False)
        self.proj_mlp = nn.Linear(width, 4 * width)
        self.proj_out = nn.Linear(5 * width, width)
        self.layer_norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)

    def forward(self, x, temb, cos, sin):
        shift, scale, gate = self.norm(temb)
        normed = self.layer_norm(x) * (1 + scale) + shift
        mlp = F.gelu(self.proj_mlp(normed), approximate="tanh")
        out = attend(*self.attn.qkv(normed), cos, sin)
        return x + gate * self.proj_out(torch.cat([out, mlp], dim=2))


class TimeText(nn.Module):
    def __init__(self, width, pooled):
        super().__init__()
        self.timestep_embedder = Embedding(256, width)
        self.text_embedder = Embedding(pooled, width)


class Flux(nn.Module):
    """Submodules have the tensor names of diffusers' FluxTransformer2DModel."""

    def __init__(self, width, heads, double, single, channels, context, pooled):
        super().__init__()
        self.x_embedder = nn.Linear(channels, width)
        self.context_embedder = nn.Linear(context, width)
        self.time_text_embed = TimeText(width, pooled)
        self.transformer_blocks = nn.ModuleList(DoubleBlock(width, heads) for _ in range(double))
        self.single_transformer_blocks = nn.ModuleList(SingleBlock(width, heads) for _ in range(single))
        self.norm_out = Modulation(width, 2)
        self.proj_out = nn.Linear(width, channels)
        self.layer_norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)

    def forward(self, latents, context, pooled, timestep, cos, sin):
        temb = self.time_text_embed.timestep_embedder(sinusoid(timestep)) + self.time_text_embed.text_embedder(pooled)
        img, txt = self.x_embedder(latents), self.context_embedder(context)
        for block in self.transformer_blocks:
            img, txt = block(img, txt, temb, cos, sin)
        x = torch.cat([txt, img], dim=1)
        for block in self.single_transformer_blocks:
            x = block(x, temb, cos, sin)
        scale, shift = self.norm_out(temb)
        return self.proj_out(self.layer_norm(x[:, txt.shape[1] :]) * (1 + scale) + shift)
