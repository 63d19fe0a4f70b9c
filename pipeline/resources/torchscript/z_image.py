# Z-Image (Alibaba Tongyi): one stream of image and caption tokens, after separate refiner blocks for each.
import nn

# Image and caption tokens are padded to multiples of this number with learned tokens.
def filled(tokens: int) -> int:
  return (tokens + 31) // 32 * 32

def fill(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  missing = z_image.filled(x.size(1)) - x.size(1)
  return torch.cat([x, w[name].to(x.dtype).unsqueeze(0).expand([x.size(0), missing, x.size(2)])], 1)

def attention(x: Tensor, rope: Tensor, mask: Optional[Tensor], w: Dict[str, Tensor], heads: int) -> Tensor:
  return nn.linear(nn.attend(nn.heads_of(x, w, "attention", heads, 1e-5), rope, mask, 0), w, "attention.to_out.0")

def feed_forward(x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  gated = torch.silu(nn.linear(x, w, "feed_forward.w1")) * nn.linear(x, w, "feed_forward.w3")
  return nn.linear(gated, w, "feed_forward.w2")

# A block with modulation by the timestep.
def block(
    x: Tensor,
    temb: Tensor,
    rope: Tensor,
    mask: Optional[Tensor],
    w: Dict[str, Tensor],
    heads: int,
    eps: float) -> Tensor:
  scale, gate, scale2, gate2 = nn.linear(temb, w, "adaLN_modulation.0").unsqueeze(1).chunk(4, -1)
  h = nn.rms_norm(x, w["attention_norm1.weight"], eps) * (1 + scale)
  h = z_image.attention(h, rope, mask, w, heads)
  x = nn.gated(x, torch.tanh(gate), nn.rms_norm(h, w["attention_norm2.weight"], eps))
  h = z_image.feed_forward(nn.rms_norm(x, w["ffn_norm1.weight"], eps) * (1 + scale2), w)
  return nn.gated_(x, torch.tanh(gate2), nn.rms_norm(h, w["ffn_norm2.weight"], eps))

# A block without modulation, for captions.
def still_block(x: Tensor, rope: Tensor, w: Dict[str, Tensor], heads: int, eps: float) -> Tensor:
  h = z_image.attention(nn.rms_norm(x, w["attention_norm1.weight"], eps), rope, None, w, heads)
  x = x + nn.rms_norm(h, w["attention_norm2.weight"], eps)
  h = z_image.feed_forward(nn.rms_norm(x, w["ffn_norm1.weight"], eps), w)
  return x + nn.rms_norm(h, w["ffn_norm2.weight"], eps)

def table(positions: Tensor, widths: List[int], theta: float) -> Tensor:
  return nn.turns(nn.angles(positions, widths, theta, 7).to(6))

# Positions of caption tokens, padding included: (1, 0, 0), (2, 0, 0), ...
def caption_rope(tokens: int, widths: List[int], theta: float, device: Device) -> Tensor:
  positions = torch.zeros([tokens, 3], dtype=7, device=device)
  positions[:, 0] = torch.arange(1, tokens + 1, dtype=7, device=device)
  return z_image.table(positions, widths, theta)

# Positions of image tokens: (caption tokens + 1, row, column); padding has the position (0, 0, 0).
def image_rope(caption: int, rows: int, columns: int, widths: List[int], theta: float, device: Device) -> Tensor:
  grid = torch.zeros([rows, columns, 3], dtype=7, device=device)
  grid[..., 0] = caption + 1
  grid[..., 1] = torch.arange(rows, dtype=7, device=device).unsqueeze(1)
  grid[..., 2] = torch.arange(columns, dtype=7, device=device)
  filling = torch.zeros([z_image.filled(rows * columns) - rows * columns, 3], dtype=7, device=device)
  return z_image.table(torch.cat([grid.flatten(0, 1), filling], 0), widths, theta)

class ZImageTransformer2DModel(Module):

  # Refined captions, computed one by one: hidden states [batch, tokens, width], text and then padding -> [batch, longest
  # padded caption, width]. They do not depend on the timestep, so they are computed once for each image.
  def captions(
      self,
      w: Dict[str, Tensor],
      refiner: List[Dict[str, Tensor]],
      states: Tensor,
      lengths: List[int],
      widths: List[int],
      theta: float,
      heads: int,
      eps: float) -> Tensor:
    longest = z_image.filled(max(lengths))
    refined = annotate(List[Tensor], [])
    for i in range(len(lengths)):
      text = nn.rms_norm(states[i:i + 1, :lengths[i]], w["cap_embedder.0.weight"], eps)
      x = z_image.fill(nn.linear(text, w, "cap_embedder.1"), w, "cap_pad_token")
      rope = z_image.caption_rope(x.size(1), widths, theta, x.device)
      for weights in refiner:
        x = z_image.still_block(x, rope, weights, heads, eps)
      refined.append(torch.constant_pad_nd(x, [0, 0, 0, longest - x.size(1)]))
    return torch.cat(refined, 0)

  # Rotary tables of image and caption [batch, 1, tokens, head width / 2].
  def rope(self, lengths: List[int], rows: int, columns: int, widths: List[int], theta: float, device: str) -> Tensor:
    place = torch.device(device)
    caption = z_image.caption_rope(z_image.filled(max(lengths)), widths, theta, place)
    tables = annotate(List[Tensor], [])
    for length in lengths:
      image = z_image.image_rope(z_image.filled(length), rows, columns, widths, theta, place)
      tables.append(torch.cat([image, caption], 0))
    return torch.stack(tables, 0).unsqueeze(1)

  # The inputs of the first layer: refined image tokens, captions and the embedding of the time; the rotary table of each
  # row, and the length of each caption.
  def embed(
      self,
      w: Dict[str, Tensor],
      refiner: List[Dict[str, Tensor]],
      latents: Tensor,
      captions: Tensor,
      lengths: List[int],
      rope: Tensor,
      timestep: float,
      t_scale: float,
      heads: int,
      eps: float) -> List[Tensor]:
    b, c, height, width = latents.size()
    rows, columns = height // 2, width // 2
    time = (1000 - torch.full([b], timestep, dtype=6, device=latents.device)) / 1000 * t_scale
    temb = nn.linear(nn.sinusoid(time, 256).to(latents.dtype), w, "t_embedder.mlp.0")
    temb = nn.linear(torch.silu(temb), w, "t_embedder.mlp.2")
    patches = latents.view([b, c, rows, 2, columns, 2]).permute([0, 2, 4, 3, 5, 1]).reshape([b, rows * columns, 4 * c])
    x = z_image.fill(nn.linear(patches, w, "all_x_embedder.2-1"), w, "x_pad_token")
    for weights in refiner:
      x = z_image.block(x, temb, rope[:, :, :x.size(1)], None, weights, heads, eps)
    return [x, captions, temb, rope, torch.tensor(lengths, dtype=4)]

  # The modulated image tokens of the first layer.
  def modulated(self, layers: List[Dict[str, Tensor]], hidden: List[Tensor], tokens: int, eps: float) -> Tensor:
    scale = nn.linear(hidden[2], layers[0], "adaLN_modulation.0").unsqueeze(1).chunk(4, -1)[0]
    return nn.rms_norm(hidden[0][:, :tokens], layers[0]["attention_norm1.weight"], eps) * (1 + scale)

  def layers(self, layers: List[Dict[str, Tensor]], hidden: List[Tensor], heads: int, eps: float) -> List[Tensor]:
    img, captions, temb, rope, lengths = hidden[0], hidden[1], hidden[2], hidden[3], hidden[4]
    tokens = img.size(1)
    own = annotate(List[int], [])
    for length in annotate(List[int], lengths.tolist()):
      own.append(tokens + z_image.filled(length))
    x = torch.cat([img, captions], 1)
    mask = nn.key_mask(own, x.size(1), x.device)
    for weights in layers:
      x = z_image.block(x, temb, rope, mask, weights, heads, eps)
    return [x[:, :tokens], x[:, tokens:], temb, rope, lengths]

  def first(self, layers: List[Dict[str, Tensor]], hidden: List[Tensor], heads: int, eps: float) -> List[Tensor]:
    return self.layers(layers[:1], hidden, heads, eps)

  # The image tokens after the last layer.
  def rest(self, layers: List[Dict[str, Tensor]], hidden: List[Tensor], done: int, heads: int, eps: float) -> Tensor:
    return self.layers(layers[done:], hidden, heads, eps)[0]

  # Image tokens of rows x columns patches -> [batch, channels, height, width]
  def project(self, w: Dict[str, Tensor], img: Tensor, hidden: List[Tensor], rows: int, columns: int) -> Tensor:
    scale = nn.linear(torch.silu(hidden[2]), w, "all_final_layer.2-1.adaLN_modulation.1").unsqueeze(1)
    y = nn.linear(nn.norm(img[:, :rows * columns]) * (1 + scale), w, "all_final_layer.2-1.linear")
    split = y.view([img.size(0), rows, columns, 2, 2, -1]).permute([0, 5, 1, 3, 2, 4])
    return -split.reshape([img.size(0), -1, rows * 2, columns * 2])

  # The flow's velocity at a timestep in [0, 1000]: latents [batch, channels, height, width] -> the same shape.
  def forward(
      self,
      w: Dict[str, Tensor],
      refiner: List[Dict[str, Tensor]],
      layers: List[Dict[str, Tensor]],
      latents: Tensor,
      captions: Tensor,
      lengths: List[int],
      rope: Tensor,
      timestep: float,
      t_scale: float,
      heads: int,
      eps: float) -> Tensor:
    hidden = self.embed(w, refiner, latents, captions, lengths, rope, timestep, t_scale, heads, eps)
    img = self.rest(layers, hidden, 0, heads, eps)
    return self.project(w, img, hidden, latents.size(2) // 2, latents.size(3) // 2)

  # The velocity of one image with the sign of diffusers' transformer: [channels, 1, height, width]
  def part(self, velocity: Tensor, number: int) -> Tensor:
    return -velocity[number].unsqueeze(1)

  # Classifier-free guidance, scale [batch], where 0 means none. If the limit is above 0, the norm of the result is
  # at most limit times the norm of the velocity under the prompt.
  def guide(self, negative: Tensor, positive: Tensor, scale: Tensor, limit: float) -> Tensor:
    out = positive + scale.to(positive.dtype).view([-1, 1, 1, 1]) * (positive - negative)
    if limit > 0:
      most = torch.linalg_vector_norm(positive, 2, [1, 2, 3], True) * limit
      norm = torch.linalg_vector_norm(out, 2, [1, 2, 3], True)
      out = torch.where(norm > most, out * (most / norm), out)
    return out
