# Layers that every network shares. Weights are a dictionary of tensors under the names of the checkpoint.

# A linear layer, plus the low-rank share of its adapters (Hu et al. 2021) where the weights hold one. The engine adds
# the bias within the product only to inputs that are contiguous.
def linear(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  x = x.contiguous()
  y = torch.linear(x, w[name + ".weight"], w.get(name + ".bias"))
  if name + ".lora_A" in w:
    y = y + torch.linear(torch.linear(x, w[name + ".lora_A"]), w[name + ".lora_B"])
  return y

def conv(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.conv2d(x, w[name + ".weight"], w.get(name + ".bias"))

# A convolution that keeps the size. On CPUs with AVX-512, libtorch 2.7.1 multiplies what lies in memory behind the
# input's channels where these are more than 16 and no multiple of it, so zeros fill them up; and in 16 bits it gets
# output channels wrong that are no multiple of 16, so those are summed in 32.
def conv2d(x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
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

def layer_norm(x: Tensor, w: Dict[str, Tensor], name: str, eps: float) -> Tensor:
  return torch.layer_norm(x, [x.size(-1)], w[name + ".weight"], w.get(name + ".bias"), eps)

# Layer normalisation without an affine part, as before every modulation.
def norm(x: Tensor) -> Tensor:
  return torch.layer_norm(x, [x.size(-1)], None, None, 1e-6)

def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
  return torch.rms_norm(x, [x.size(-1)], weight, eps)

def group_norm(x: Tensor, w: Dict[str, Tensor], name: str, groups: int) -> Tensor:
  return torch.group_norm(x, groups, w[name + ".weight"], w[name + ".bias"], 1e-6)

# What a time embedding [batch, width] makes of a block: [batch, 1, chunks * width].
def modulation(temb: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.linear(torch.silu(temb), w, name + ".linear").unsqueeze(1)

def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
  return nn.norm(x) * (1 + scale) + shift

def feed_forward(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.linear(torch.gelu(nn.linear(x, w, name + ".net.0.proj"), approximate="tanh"), w, name + ".net.2")

# [batch, tokens, heads * width] -> [batch, heads, tokens, width]
def split_heads(x: Tensor, heads: int) -> Tensor:
  return x.unflatten(-1, [heads, -1]).transpose(1, 2)

# Projected heads, with RMS norms where the checkpoint has them.
def normed_heads(x: Tensor, w: Dict[str, Tensor], projection: str, norm: str, heads: int) -> Tensor:
  h = nn.split_heads(nn.linear(x, w, projection), heads)
  if norm + ".weight" in w:
    h = nn.rms_norm(h, w[norm + ".weight"], 1e-6)
  return h

def merge_heads(x: Tensor) -> Tensor:
  return x.transpose(1, 2).flatten(2)

def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
  return nn.merge_heads(torch.scaled_dot_product_attention(q, k, v))

# Attention to the keys that the mask [batch, 1, 1, keys] lets through.
def masked_attention(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor]) -> Tensor:
  return nn.merge_heads(torch.scaled_dot_product_attention(q, k, v, mask))

# Two streams that attend jointly, text first: queries, keys and values of each by projections and norms of its own.
def joint_attention(
    img: Tensor,
    txt: Tensor,
    rope: Tensor,
    mask: Optional[Tensor],
    w: Dict[str, Tensor],
    heads: int) -> Tuple[Tensor, Tensor]:
  q = torch.cat([nn.normed_heads(txt, w, "attn.add_q_proj", "attn.norm_added_q", heads), nn.normed_heads(img, w, "attn.to_q", "attn.norm_q", heads)], 2)
  k = torch.cat([nn.normed_heads(txt, w, "attn.add_k_proj", "attn.norm_added_k", heads), nn.normed_heads(img, w, "attn.to_k", "attn.norm_k", heads)], 2)
  v = torch.cat([nn.split_heads(nn.linear(txt, w, "attn.add_v_proj"), heads), nn.split_heads(nn.linear(img, w, "attn.to_v"), heads)], 2)
  attended = nn.masked_attention(nn.rotate(q, rope), nn.rotate(k, rope), v, mask)
  tokens = txt.size(1)
  return (nn.linear(attended[:, tokens:], w, "attn.to_out.0"), nn.linear(attended[:, :tokens], w, "attn.to_add_out"))

# Which of so many tokens of each row are its own, [batch, 1, 1, tokens]; none where all are.
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

# Linear, SiLU, Linear: how timesteps, guidance and pooled prompts are embedded.
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

# Angles as complex unit numbers.
def turns(angle: Tensor) -> Tensor:
  return torch.complex(torch.cos(angle).to(6), torch.sin(angle).to(6))

# Rotary table: positions [tokens, axes] -> complex unit numbers [tokens, sum(widths) / 2].
def rope(positions: Tensor, widths: List[int], theta: float) -> Tensor:
  return nn.turns(nn.angles(positions, widths, theta, 7))

# Turns neighbouring pairs of channels, taken as complex numbers.
def rotate(x: Tensor, rope: Tensor) -> Tensor:
  return torch.view_as_real(torch.view_as_complex(x.to(6).unflatten(-1, [-1, 2])) * rope).flatten(-2).to(x.dtype)
