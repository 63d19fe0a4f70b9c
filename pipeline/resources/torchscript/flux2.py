# FLUX.2 (Black Forest Labs): FLUX.1's streams without biases; all blocks of a kind share one modulation.
import nn

# Gated SiLU: SiLU of the first half of the channels times the second half.
def swiglu(x: Tensor) -> Tensor:
  gate, up = x.chunk(2, -1)
  return torch.silu(gate) * up

def feed_forward(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.linear(flux2.swiglu(nn.linear(x, w, name + ".linear_in")), w, name + ".linear_out")

def double_block(
    img: Tensor,
    txt: Tensor,
    img_modulation: Tensor,
    txt_modulation: Tensor,
    rope: Tensor,
    w: Dict[str, Tensor],
    heads: int) -> Tuple[Tensor, Tensor]:
  shift, scale, gate, shift2, scale2, gate2 = img_modulation.chunk(6, -1)
  txt_shift, txt_scale, txt_gate, txt_shift2, txt_scale2, txt_gate2 = txt_modulation.chunk(6, -1)
  img_out, txt_out = nn.joint_attention(nn.modulate(img, shift, scale), nn.modulate(txt, txt_shift, txt_scale), rope, None, w, heads)
  img = nn.gated(img, gate, img_out)
  img = nn.gated_(img, gate2, flux2.feed_forward(nn.modulate(img, shift2, scale2), w, "ff"))
  txt = nn.gated(txt, txt_gate, txt_out)
  txt = nn.gated_(txt, txt_gate2, flux2.feed_forward(nn.modulate(txt, txt_shift2, txt_scale2), w, "ff_context"))
  return (img, txt)

# A single block: attention and feed-forward in parallel, with one input projection and one output projection. Computes
# the tokens from index `first` on, and overwrites them in x.
def single_block(x: Tensor, modulation: Tensor, rope: Tensor, w: Dict[str, Tensor], heads: int, first: int) -> Tensor:
  shift, scale, gate = modulation.chunk(3, -1)
  projected = nn.linear(nn.modulate(x, shift, scale), w, "attn.to_qkv_mlp_proj")
  qkv = nn.normed_heads(projected[..., :3 * x.size(2)], w, "attn.norm_q", "attn.norm_k", heads, 1e-6)
  attended = nn.attend(qkv, rope, None, first)
  mlp = flux2.swiglu(projected[:, first:, 3 * x.size(2):])
  return nn.gated_(x[:, first:], gate, nn.linear(torch.cat([attended, mlp], 2), w, "attn.to_out"))

class Flux2Transformer2DModel(Module):

  # Image tokens have the positions (0, row, column, 0), text tokens (0, 0, 0, index): a rotary table
  # [tokens, head width / 2].
  def rope(self, text_tokens: int, rows: int, columns: int, widths: List[int], theta: float, device: str) -> Tensor:
    image = torch.zeros([rows, columns, 4], dtype=7, device=torch.device(device))
    image[..., 1] = torch.arange(rows, dtype=7, device=image.device).unsqueeze(1)
    image[..., 2] = torch.arange(columns, dtype=7, device=image.device)
    text = torch.zeros([text_tokens, 4], dtype=7, device=image.device)
    text[:, 3] = torch.arange(text_tokens, dtype=7, device=image.device)
    return nn.rope(torch.cat([text, image.flatten(0, 1)], 0), widths, theta)

  # Image tokens, text tokens and the embedding of the time, the inputs of the first block.
  # Dividing and multiplying by 1000 has the effect of rounding 16-bit timesteps as diffusers does.
  def embed(self, w: Dict[str, Tensor], latents: Tensor, context: Tensor, timestep: float, sinusoids: int) -> List[Tensor]:
    time = torch.full([latents.size(0)], timestep, dtype=latents.dtype, device=latents.device) / 1000 * 1000
    temb = nn.embed(nn.sinusoid(time, sinusoids).to(latents.dtype), w, "time_guidance_embed.timestep_embedder")
    return [nn.linear(latents, w, "x_embedder"), nn.linear(context, w, "context_embedder"), temb]

  # The modulated image tokens of the first block.
  def modulated(self, w: Dict[str, Tensor], hidden: List[Tensor]) -> Tensor:
    shift, scale = nn.modulation(hidden[2], w, "double_stream_modulation_img").chunk(6, -1)[:2]
    return nn.modulate(hidden[0], shift, scale)

  def double_blocks(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      hidden: List[Tensor],
      rope: Tensor,
      heads: int) -> List[Tensor]:
    img, txt, temb = hidden[0], hidden[1], hidden[2]
    img_modulation = nn.modulation(temb, w, "double_stream_modulation_img")
    txt_modulation = nn.modulation(temb, w, "double_stream_modulation_txt")
    for block in blocks:
      img, txt = flux2.double_block(img, txt, img_modulation, txt_modulation, rope, block, heads)
    return [img, txt, temb]

  def first(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      hidden: List[Tensor],
      rope: Tensor,
      heads: int) -> List[Tensor]:
    return self.double_blocks(w, blocks[:1], hidden, rope, heads)

  # The image tokens after the last block.
  def rest(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      single_blocks: List[Dict[str, Tensor]],
      hidden: List[Tensor],
      done: int,
      rope: Tensor,
      heads: int) -> Tensor:
    img, txt, temb = self.double_blocks(w, blocks[done:], hidden, rope, heads)
    modulation = nn.modulation(temb, w, "single_stream_modulation")
    x = torch.cat([txt, img], 1)
    for i in range(len(single_blocks)):
      first = txt.size(1) if i == len(single_blocks) - 1 else 0
      x = flux2.single_block(x, modulation, rope, single_blocks[i], heads, first)
    return x[:, x.size(1) - img.size(1):]

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
      timestep: float,
      sinusoids: int,
      rope: Tensor,
      heads: int) -> Tensor:
    hidden = self.embed(w, latents, context, timestep, sinusoids)
    return self.project(w, self.rest(w, blocks, single_blocks, hidden, 0, rope, heads), hidden)

  # [batch, channels, rows, columns] -> [batch, rows * columns, channels].
  def tokens(self, latents: Tensor) -> Tensor:
    return latents.flatten(2).transpose(1, 2).contiguous()

  # Undoes the batch norm of the latents: [batch, tokens, channels]
  def denormalize(self, w: Dict[str, Tensor], latents: Tensor, eps: float) -> Tensor:
    return latents * torch.sqrt(w["bn.running_var"] + eps) + w["bn.running_mean"]
