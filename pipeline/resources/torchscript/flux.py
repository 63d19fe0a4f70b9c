# FLUX.1 (Black Forest Labs): a rectified-flow transformer over text and image tokens.
# Double blocks keep two streams that attend jointly; single blocks run over both as one.
import nn

def double_block(
    img: Tensor,
    txt: Tensor,
    temb: Tensor,
    rope: Tensor,
    w: Dict[str, Tensor],
    heads: int) -> Tuple[Tensor, Tensor]:
  shift, scale, gate, shift2, scale2, gate2 = nn.modulation(temb, w, "norm1").chunk(6, -1)
  txt_shift, txt_scale, txt_gate, txt_shift2, txt_scale2, txt_gate2 = nn.modulation(temb, w, "norm1_context").chunk(6, -1)

  x = nn.modulate(img, shift, scale)
  q = nn.normed_heads(x, w, "attn.to_q", "attn.norm_q", heads)
  k = nn.normed_heads(x, w, "attn.to_k", "attn.norm_k", heads)
  v = nn.split_heads(nn.linear(x, w, "attn.to_v"), heads)

  x = nn.modulate(txt, txt_shift, txt_scale)
  txt_q = nn.normed_heads(x, w, "attn.add_q_proj", "attn.norm_added_q", heads)
  txt_k = nn.normed_heads(x, w, "attn.add_k_proj", "attn.norm_added_k", heads)
  txt_v = nn.split_heads(nn.linear(x, w, "attn.add_v_proj"), heads)

  q = nn.rotate(torch.cat([txt_q, q], 2), rope)
  k = nn.rotate(torch.cat([txt_k, k], 2), rope)
  attended = nn.attention(q, k, torch.cat([txt_v, v], 2))

  tokens = txt.size(1)
  img = img + gate * nn.linear(attended[:, tokens:], w, "attn.to_out.0")
  img = img + gate2 * nn.feed_forward(nn.modulate(img, shift2, scale2), w, "ff")
  txt = txt + txt_gate * nn.linear(attended[:, :tokens], w, "attn.to_add_out")
  txt = txt + txt_gate2 * nn.feed_forward(nn.modulate(txt, txt_shift2, txt_scale2), w, "ff_context")
  return (img, txt)

def single_block(x: Tensor, temb: Tensor, rope: Tensor, w: Dict[str, Tensor], heads: int) -> Tensor:
  shift, scale, gate = nn.modulation(temb, w, "norm").chunk(3, -1)
  h = nn.modulate(x, shift, scale)
  mlp = torch.gelu(nn.linear(h, w, "proj_mlp"), approximate="tanh")
  q = nn.rotate(nn.normed_heads(h, w, "attn.to_q", "attn.norm_q", heads), rope)
  k = nn.rotate(nn.normed_heads(h, w, "attn.to_k", "attn.norm_k", heads), rope)
  attended = nn.attention(q, k, nn.split_heads(nn.linear(h, w, "attn.to_v"), heads))
  return x + gate * nn.linear(torch.cat([attended, mlp], 2), w, "proj_out")

class FluxTransformer2DModel(Module):

  # Text tokens stand at the origin, image tokens on their (row, column): a table [tokens, head width / 2].
  def rope(self, text_tokens: int, rows: int, columns: int, widths: List[int], device: str) -> Tensor:
    image = torch.zeros([rows, columns, 3], dtype=7, device=torch.device(device))
    image[..., 1] = torch.arange(rows, dtype=7, device=image.device).unsqueeze(1)
    image[..., 2] = torch.arange(columns, dtype=7, device=image.device)
    text = torch.zeros([text_tokens, 3], dtype=7, device=image.device)
    return nn.rope(torch.cat([text, image.flatten(0, 1)], 0), widths, 10000.)

  # Image tokens, text tokens and the embedding of time, guidance and prompt, as the first block reads them.
  # Dividing and multiplying by 1000 has the effect of rounding 16-bit timesteps as diffusers does.
  def embed(
      self,
      w: Dict[str, Tensor],
      latents: Tensor,
      context: Tensor,
      pooled: Tensor,
      timestep: float,
      guidance: Tensor) -> List[Tensor]:
    time = torch.full([latents.size(0)], timestep, dtype=latents.dtype, device=latents.device) / 1000 * 1000
    temb = nn.embed(nn.sinusoid(time, 256).to(latents.dtype), w, "time_text_embed.timestep_embedder")
    if "time_text_embed.guidance_embedder.linear_1.weight" in w:
      strength = nn.sinusoid(guidance * 1000, 256).to(latents.dtype)
      temb = temb + nn.embed(strength, w, "time_text_embed.guidance_embedder")
    temb = temb + nn.embed(pooled, w, "time_text_embed.text_embedder")
    return [nn.linear(latents, w, "x_embedder"), nn.linear(context, w, "context_embedder"), temb]

  # The image tokens under the first block's modulation.
  def modulated(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor]) -> Tensor:
    shift, scale = nn.modulation(hidden[2], blocks[0], "norm1").chunk(6, -1)[:2]
    return nn.modulate(hidden[0], shift, scale)

  def first(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor], rope: Tensor, heads: int) -> List[Tensor]:
    img, txt = flux.double_block(hidden[0], hidden[1], hidden[2], rope, blocks[0], heads)
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
    img, txt, temb = hidden[0], hidden[1], hidden[2]
    for block in blocks[done:]:
      img, txt = flux.double_block(img, txt, temb, rope, block, heads)
    x = torch.cat([txt, img], 1)
    for block in single_blocks:
      x = flux.single_block(x, temb, rope, block, heads)
    return x[:, txt.size(1):]

  def project(self, w: Dict[str, Tensor], img: Tensor, hidden: List[Tensor]) -> Tensor:
    scale, shift = nn.modulation(hidden[2], w, "norm_out").chunk(2, -1)
    return nn.linear(nn.modulate(img, shift, scale), w, "proj_out")

  # The flow's velocity at a timestep in [0, 1000]: latents [batch, tokens, channels] -> the same shape.
  def forward(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      single_blocks: List[Dict[str, Tensor]],
      latents: Tensor,
      context: Tensor,
      pooled: Tensor,
      timestep: float,
      guidance: Tensor,
      rope: Tensor,
      heads: int) -> Tensor:
    hidden = self.embed(w, latents, context, pooled, timestep, guidance)
    return self.project(w, self.rest(blocks, single_blocks, hidden, 0, rope, heads), hidden)
