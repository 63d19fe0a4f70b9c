# FLUX.1 (Black Forest Labs): a rectified-flow transformer over text and image tokens.
# Double blocks have two streams with joint attention; single blocks run over the concatenated streams.
import nn

def double_block(
    img: Tensor,
    txt: Tensor,
    modulation: Tensor,
    rope: Tensor,
    w: Dict[str, Tensor],
    heads: int) -> Tuple[Tensor, Tensor]:
  parts = modulation.chunk(12, -1)
  shift, scale, gate, shift2, scale2, gate2 = parts[:6]
  txt_shift, txt_scale, txt_gate, txt_shift2, txt_scale2, txt_gate2 = parts[6:]

  img_out, txt_out = nn.joint_attention(nn.modulate(img, shift, scale), nn.modulate(txt, txt_shift, txt_scale), rope, None, w, heads)
  img = nn.gated(img, gate, img_out)
  img = nn.gated_(img, gate2, nn.feed_forward(nn.modulate(img, shift2, scale2), w, "ff"))
  txt = nn.gated(txt, txt_gate, txt_out)
  txt = nn.gated_(txt, txt_gate2, nn.feed_forward(nn.modulate(txt, txt_shift2, txt_scale2), w, "ff_context"))
  return (img, txt)

# A single block. Computes the tokens from index `first` on, and overwrites them in x.
def single_block(x: Tensor, modulation: Tensor, rope: Tensor, w: Dict[str, Tensor], heads: int, first: int) -> Tensor:
  shift, scale, gate = modulation.chunk(3, -1)
  h = nn.modulate(x, shift, scale)
  attended = nn.attend(nn.heads_of(h, w, "attn", heads, 1e-6), rope, None, first)
  mlp = nn.linear_gelu(h[:, first:], w, "proj_mlp")
  return nn.gated_(x[:, first:], gate, nn.linear(torch.cat([attended, mlp], 2), w, "proj_out"))

class FluxTransformer2DModel(Module):

  # Text tokens have the position (0, 0, 0), image tokens (0, row, column): a rotary table [tokens, head width / 2].
  def rope(self, text_tokens: int, rows: int, columns: int, widths: List[int], device: str) -> Tensor:
    image = torch.zeros([rows, columns, 3], dtype=7, device=torch.device(device))
    image[..., 1] = torch.arange(rows, dtype=7, device=image.device).unsqueeze(1)
    image[..., 2] = torch.arange(columns, dtype=7, device=image.device)
    text = torch.zeros([text_tokens, 3], dtype=7, device=image.device)
    return nn.rope(torch.cat([text, image.flatten(0, 1)], 0), widths, 10000.)

  # The concatenated modulations of all blocks and of the last norm, from embeddings of time, guidance and prompt:
  # [..., width] -> [..., 1, (12 * blocks + 3 * single_blocks + 2) * width].
  def modulations(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      single_blocks: List[Dict[str, Tensor]],
      temb: Tensor) -> Tensor:
    h = torch.silu(temb)
    parts = annotate(List[Tensor], [])
    for block in blocks:
      parts.append(nn.linear(h, block, "norm1.linear"))
      parts.append(nn.linear(h, block, "norm1_context.linear"))
    for block in single_blocks:
      parts.append(nn.linear(h, block, "norm.linear"))
    parts.append(nn.linear(h, w, "norm_out.linear"))
    return torch.cat(parts, -1).unsqueeze(-2)

  # The modulations of several steps [steps, batch, 1, ...] in one product, since a product with few rows takes as long
  # as reading its weight. Dividing and multiplying by 1000 has the effect of rounding 16-bit timesteps as diffusers does.
  def conditions(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      single_blocks: List[Dict[str, Tensor]],
      timesteps: Tensor,
      pooled: Tensor,
      guidance: Tensor) -> Tensor:
    time = timesteps.to(pooled.dtype) / 1000 * 1000
    temb = nn.embed(nn.sinusoid(time, 256).to(pooled.dtype), w, "time_text_embed.timestep_embedder").unsqueeze(1)
    if "time_text_embed.guidance_embedder.linear_1.weight" in w:
      strength = nn.sinusoid(guidance * 1000, 256).to(pooled.dtype)
      temb = temb + nn.embed(strength, w, "time_text_embed.guidance_embedder")
    return self.modulations(w, blocks, single_blocks, temb + nn.embed(pooled, w, "time_text_embed.text_embedder"))

  # The text tokens for the first block.
  def text_tokens(self, w: Dict[str, Tensor], context: Tensor) -> Tensor:
    return nn.linear(context, w, "context_embedder")

  # The inputs of the first block: image tokens, text tokens and the modulations of the step.
  def embed(self, w: Dict[str, Tensor], latents: Tensor, txt: Tensor, conditions: Tensor, step: int) -> List[Tensor]:
    return [nn.linear(latents, w, "x_embedder"), txt, conditions[step]]

  # The modulated image tokens of the first block.
  def modulated(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor]) -> Tensor:
    width = hidden[0].size(2)
    return nn.modulate(hidden[0], hidden[2][..., :width], hidden[2][..., width:2 * width])

  def first(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor], rope: Tensor, heads: int) -> List[Tensor]:
    modulation = hidden[2].narrow(-1, 0, 12 * hidden[0].size(2))
    img, txt = flux.double_block(hidden[0], hidden[1], modulation, rope, blocks[0], heads)
    return [img, txt, hidden[2]]

  # The image tokens after the last block.
  def rest(
      self,
      blocks: List[Dict[str, Tensor]],
      single_blocks: List[Dict[str, Tensor]],
      hidden: List[Tensor],
      done: int,
      rope: Tensor,
      heads: int) -> Tensor:
    img, txt, conditions = hidden[0], hidden[1], hidden[2]
    width = img.size(2)
    for i in range(done, len(blocks)):
      img, txt = flux.double_block(img, txt, conditions.narrow(-1, 12 * i * width, 12 * width), rope, blocks[i], heads)
    x = torch.cat([txt, img], 1)
    for i in range(len(single_blocks)):
      first = txt.size(1) if i == len(single_blocks) - 1 else 0
      modulation = conditions.narrow(-1, (12 * len(blocks) + 3 * i) * width, 3 * width)
      x = flux.single_block(x, modulation, rope, single_blocks[i], heads, first)
    return x[:, x.size(1) - img.size(1):]

  def project(self, w: Dict[str, Tensor], img: Tensor, hidden: List[Tensor]) -> Tensor:
    scale, shift = hidden[2][..., -2 * img.size(2):].chunk(2, -1)
    return nn.linear(nn.modulate(img, shift, scale), w, "proj_out")

  # The flow's velocity at a step: latents [batch, tokens, channels] -> the same shape.
  def forward(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      single_blocks: List[Dict[str, Tensor]],
      latents: Tensor,
      txt: Tensor,
      conditions: Tensor,
      step: int,
      rope: Tensor,
      heads: int) -> Tensor:
    hidden = self.embed(w, latents, txt, conditions, step)
    return self.project(w, self.rest(blocks, single_blocks, hidden, 0, rope, heads), hidden)
