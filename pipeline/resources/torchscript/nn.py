# Layers that several networks use. Weights are a dictionary of tensors under the checkpoint's names.
import onednn

# A linear layer, plus the low-rank output of its adapters (Hu et al. 2021) if the weights have any. The engine adds the
# bias within the product only if the input is contiguous.
def linear(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  x = x.contiguous()
  weight = w[name + ".weight"]
  if weight.is_mkldnn:
    y = onednn.linear(x, weight, w.get(name + ".bias"), "none", "none")
  else:
    y = torch.linear(x, weight, w.get(name + ".bias"))
  if name + ".lora_A" in w:
    y = y + nn.low_rank(x, w, name)
  return y

def low_rank(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return torch.linear(torch.linear(x, w[name + ".lora_A"]), w[name + ".lora_B"])

# The concatenated outputs of linear layers of equal widths. The weights may have the layers fused into one.
def linears(x: Tensor, w: Dict[str, Tensor], fused: str, names: List[str]) -> Tensor:
  if fused + ".weight" in w:
    y = nn.linear(x, w, fused)
    for i in range(len(names)):
      if names[i] + ".lora_A" in w:
        y.chunk(len(names), -1)[i].add_(nn.low_rank(x, w, names[i]))
  else:
    parts = annotate(List[Tensor], [])
    for name in names:
      parts.append(nn.linear(x, w, name))
    y = torch.cat(parts, -1)
  return y

# A linear layer, then GELU with the tanh approximation.
def linear_gelu(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  weight = w[name + ".weight"]
  if weight.is_mkldnn and name + ".lora_A" not in w:
    y = onednn.linear(x, weight, w.get(name + ".bias"), "gelu", "tanh")
  else:
    y = torch.gelu(nn.linear(x, w, name), approximate="tanh")
  return y

def conv(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.conv2d(x, w[name + ".weight"], w.get(name + ".bias"))

# A convolution with padding to the same size. On CPUs with AVX-512, libtorch 2.7.1 reads beyond the input channels if
# there are more than 16 and not a multiple of 16, so they are padded with zeros; and in 16 bits its results are wrong for
# a number of output channels that is not a multiple of 16, so these are computed in 32 bits.
def conv2d(x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
  if weight.is_mkldnn:
    return onednn.conv(x, weight, bias)
  padding = [weight.size(2) // 2, weight.size(3) // 2]
  if x.is_cuda:
    return torch.conv2d(x, weight, bias, [1, 1], padding)
  wide, kernel, offset = x, weight, bias
  if x.element_size() < 4:
    wide, kernel = x.float(), weight.float()
    if bias is not None:
      offset = bias.float()
  if x.size(1) > 16 and x.size(1) % 16 > 0 and weight.size(-1) > 1:
    zeros = [0, 0, 0, 0, 0, 16 - x.size(1) % 16]
    wide, kernel = torch.constant_pad_nd(wide, zeros, 0.), torch.constant_pad_nd(kernel, zeros, 0.)
  return torch.conv2d(wide, kernel, offset, [1, 1], padding).to(x.dtype)

# The fastest memory layout for convolutions on CPUs.
def channels_last(x: Tensor) -> Tensor:
  y = x
  if not x.is_cuda:
    y = x.contiguous(memory_format=2)
  return y

# Nearest-neighbour upsampling by 2, then a convolution. Of a kernel's 3 x 3 input pixels only 2 x 2 differ: if the
# weights are the sums for those, a transposed convolution computes the same with fewer products.
def upsample(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  weight, bias = w[name + ".weight"], w.get(name + ".bias")
  if weight.size(-1) == 4:
    y = torch.conv_transpose2d(x, weight, bias, [2, 2], [1, 1])
  else:
    y = nn.conv2d(torch.upsample_nearest2d(x, None, [2., 2.]), weight, bias)
  return y

def layer_norm(x: Tensor, w: Dict[str, Tensor], name: str, eps: float) -> Tensor:
  return torch.layer_norm(x, [x.size(-1)], w[name + ".weight"], w.get(name + ".bias"), eps)

# Layer normalisation without affine parameters, as before each modulation.
def norm(x: Tensor) -> Tensor:
  return torch.layer_norm(x, [x.size(-1)], None, None, 1e-6)

# The reciprocal of the root mean square, in at least 32 bits.
def reciprocal_rms(x: Tensor, eps: float) -> Tensor:
  norm = torch.linalg_vector_norm(x, 2, [-1], True, dtype=torch.promote_types(x.dtype, 6))
  return norm.square_().div_(x.size(-1)).add_(eps).rsqrt_()

# Divides by the root mean square. libtorch computes torch.rms_norm in several passes over copies in 32 bits, unless it has
# a fused kernel; this reads twice and writes once, and rounds where diffusers does.
def unit_rms(x: Tensor, eps: float) -> Tensor:
  return torch.mul(x, nn.reciprocal_rms(x, eps), out=torch.empty_like(x))

# The same in place, which needs less of a core's cache.
def unit_rms_(x: Tensor, eps: float) -> Tensor:
  return x.mul_(nn.reciprocal_rms(x, eps))

def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
  return nn.unit_rms(x, eps).mul_(weight)

def group_norm(x: Tensor, w: Dict[str, Tensor], name: str, groups: int) -> Tensor:
  return torch.group_norm(x, groups, w[name + ".weight"], w[name + ".bias"], 1e-6)

# The modulation of a block by a time embedding: [batch, width] -> [batch, 1, chunks * width].
def modulation(temb: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.linear(torch.silu(temb), w, name + ".linear").unsqueeze(1)

# Layer normalization and modulation. For a single image, the modulation is the affine part of the norm.
def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
  if x.size(0) == 1:
    y = torch.layer_norm(x, [x.size(-1)], (1 + scale).flatten(), shift.flatten(), 1e-6)
  elif x.is_cuda:
    y = torch.addcmul(shift, nn.norm(x), 1 + scale)
  else:
    y = nn.norm(x) * (1 + scale) + shift
  return y

# Adds a branch to a stream, multiplied by its gate.
def gated(stream: Tensor, gate: Tensor, branch: Tensor) -> Tensor:
  return torch.addcmul(stream, gate, branch)

# The same in place.
def gated_(stream: Tensor, gate: Tensor, branch: Tensor) -> Tensor:
  return stream.addcmul_(gate, branch)

def feed_forward(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.linear(nn.linear_gelu(x, w, name + ".net.0.proj"), w, name + ".net.2")

# [batch, tokens, heads * width] -> [batch, heads, tokens, width]
def split_heads(x: Tensor, heads: int) -> Tensor:
  return x.unflatten(-1, [heads, -1]).transpose(1, 2)

def merge_heads(x: Tensor) -> Tensor:
  return x.transpose(1, 2).flatten(2)

def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
  return nn.merge_heads(torch.scaled_dot_product_attention(q, k, v))

# Attention to the keys that the mask [batch, 1, 1, keys] includes.
def masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor]) -> Tensor:
  return nn.merge_heads(torch.scaled_dot_product_attention(q, k, v, mask))

# Queries, keys and values of all heads, from their concatenation [batch, tokens, 3 * heads * width]: [batch, tokens, 3,
# heads, width]. Queries and keys have RMS norms if the checkpoint has them. The weights may have those of both norms
# repeated for each head, [2, heads, width]; then qkv is overwritten, which is faster.
def normed_heads(qkv: Tensor, w: Dict[str, Tensor], norm_q: str, norm_k: str, heads: int, eps: float) -> Tensor:
  split = qkv.unflatten(-1, [3, heads, -1])
  qk = split[:, :, :2]
  if norm_q + "k.weight" in w:
    nn.unit_rms_(qk, eps).mul_(w[norm_q + "k.weight"])
  elif norm_q + ".weight" in w:
    weight = torch.stack([w[norm_q + ".weight"], w[norm_k + ".weight"]], 0).unsqueeze(1)
    split = torch.cat([nn.unit_rms(qk, eps) * weight, split[:, :, 2:]], 2)
  return split

# normed_heads of image tokens, with the layers of the attention of this name.
def heads_of(x: Tensor, w: Dict[str, Tensor], name: str, heads: int, eps: float) -> Tensor:
  qkv = nn.linears(x, w, name + ".to_qkv", [name + ".to_q", name + ".to_k", name + ".to_v"])
  return nn.normed_heads(qkv, w, name + ".norm_q", name + ".norm_k", heads, eps)

# normed_heads of text tokens, with the layers that joint attention has for them.
def added_heads(x: Tensor, w: Dict[str, Tensor], name: str, heads: int, eps: float) -> Tensor:
  qkv = nn.linears(x, w, name + ".to_added_qkv", [name + ".add_q_proj", name + ".add_k_proj", name + ".add_v_proj"])
  return nn.normed_heads(qkv, w, name + ".norm_added_q", name + ".norm_added_k", heads, eps)

# Attention of the tokens from index `first` on, whose queries and keys are rotated in place if there is a rotary table.
def attend(qkv: Tensor, rope: Optional[Tensor], mask: Optional[Tensor], first: int) -> Tensor:
  qk, v = qkv[:, :, :2], qkv[:, :, 2]
  if rope is not None:
    qk = nn.rotate(qk, rope)
  q, k = qk[:, first:, 0], qk[:, :, 1]
  return nn.masked_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), mask)

# Joint attention of two streams, text first, each with its own projections and norms.
def joint_attention(
    img: Tensor,
    txt: Tensor,
    rope: Tensor,
    mask: Optional[Tensor],
    w: Dict[str, Tensor],
    heads: int) -> Tuple[Tensor, Tensor]:
  qkv = torch.cat([nn.added_heads(txt, w, "attn", heads, 1e-6), nn.heads_of(img, w, "attn", heads, 1e-6)], 1)
  attended = nn.attend(qkv, rope, mask, 0)
  tokens = txt.size(1)
  return (nn.linear(attended[:, tokens:], w, "attn.to_out.0"), nn.linear(attended[:, :tokens], w, "attn.to_add_out"))

# The mask of the tokens of each row that are not padding, [batch, 1, 1, tokens]; None if there is no padding.
def key_mask(lengths: List[int], tokens: int, device: Device) -> Optional[Tensor]:
  mask = annotate(Optional[Tensor], None)
  if min(lengths) < tokens:
    own = torch.tensor(lengths, dtype=4, device=device).view([-1, 1, 1, 1])
    mask = torch.arange(tokens, device=device) < own
  return mask

def activation(x: Tensor, name: str) -> Tensor:
  if name == "quick_gelu":
    y = x * torch.sigmoid(1.702 * x)
  elif name == "gelu":
    y = torch.gelu(x)
  elif name == "gelu_new" or name == "gelu_pytorch_tanh":
    y = torch.gelu(x, approximate="tanh")
  elif name == "silu":
    y = torch.silu(x)
  else:
    y = torch.relu(x)
  return y

# Sinusoids of "Attention Is All You Need", cosines first: [batch] -> [batch, width]
def sinusoid(t: Tensor, width: int) -> Tensor:
  half = width // 2
  rate = torch.exp(-9.210340371976184 * torch.arange(half, dtype=6, device=t.device) / half)
  angle = t.to(6).unsqueeze(1) * rate
  return torch.cat([torch.cos(angle), torch.sin(angle)], 1)

# Linear, SiLU, Linear: the embedding of timesteps, guidance and pooled prompts.
def embed(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.linear(torch.silu(nn.linear(x, w, name + ".linear_1")), w, name + ".linear_2")

# Rotary angles: positions [tokens, axes] -> [tokens, sum(widths) / 2], computed in the given type.
def angles(positions: Tensor, widths: List[int], theta: float, dtype: int) -> Tensor:
  parts = annotate(List[Tensor], [])
  for axis in range(len(widths)):
    width = widths[axis]
    rate = torch.pow(theta, -torch.arange(0, width, 2, dtype=dtype, device=positions.device) / width)
    parts.append(torch.outer(positions[:, axis].to(dtype), rate))
  return torch.cat(parts, 1)

# Angles as complex numbers of absolute value 1.
def turns(angle: Tensor) -> Tensor:
  return torch.complex(torch.cos(angle).to(6), torch.sin(angle).to(6))

# Rotary table: positions [tokens, axes] -> complex unit numbers [tokens, sum(widths) / 2].
def rope(positions: Tensor, widths: List[int], theta: float) -> Tensor:
  return nn.turns(nn.angles(positions, widths, theta, 7))

# Rotary embedding: multiplies neighbouring pairs of channels, as complex numbers: heads [batch, tokens, 2, heads, width]
# by a table [tokens, width / 2] or, with a table for each row, [batch, 1, tokens, width / 2]. In place where x has 32 bits.
def rotate(x: Tensor, rope: Tensor) -> Tensor:
  wide = x.to(6)
  torch.view_as_complex(wide.unflatten(-1, [-1, 2])).mul_(rope.reshape([-1, x.size(1), 1, 1, rope.size(-1)]))
  return wide.to(x.dtype)
