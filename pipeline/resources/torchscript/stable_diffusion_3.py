# Stable Diffusion 3 and 3.5 (Stability AI): MMDiT, a rectified-flow transformer whose blocks keep two streams, of image
# and of text tokens, that attend jointly. Blocks of MMDiT-X have a second attention among image tokens.
import nn

def block(img: Tensor, txt: Tensor, temb: Tensor, w: Dict[str, Tensor], heads: int) -> Tuple[Tensor, Tensor]:
  chunks = nn.modulation(temb, w, "norm1").split(img.size(2), -1)
  shift, scale, gate, shift2, scale2, gate2 = chunks[0], chunks[1], chunks[2], chunks[3], chunks[4], chunks[5]
  qkv = nn.heads_of(nn.modulate(img, shift, scale), w, "attn", heads, 1e-6)

  # The last block computes no text output; its text norm has the scale before the shift.
  txt_chunks = nn.modulation(temb, w, "norm1_context").split(txt.size(2), -1)
  last = len(txt_chunks) == 2
  if last:
    x = nn.modulate(txt, txt_chunks[1], txt_chunks[0])
  else:
    x = nn.modulate(txt, txt_chunks[0], txt_chunks[1])

  attended = nn.attend(torch.cat([qkv, nn.added_heads(x, w, "attn", heads, 1e-6)], 1), None, None, 0)
  tokens = img.size(1)
  stream = nn.gated(img, gate, nn.linear(attended[:, :tokens], w, "attn.to_out.0"))
  if len(chunks) == 9:
    stream = nn.gated_(stream, chunks[8], stable_diffusion_3.self_attention(nn.modulate(img, chunks[6], chunks[7]), w, heads))
  img = nn.gated_(stream, gate2, nn.feed_forward(nn.modulate(stream, shift2, scale2), w, "ff"))
  if not last:
    txt = nn.gated(txt, txt_chunks[2], nn.linear(attended[:, tokens:], w, "attn.to_add_out"))
    txt = nn.gated_(txt, txt_chunks[5], nn.feed_forward(nn.modulate(txt, txt_chunks[3], txt_chunks[4]), w, "ff_context"))
  return (img, txt)

def self_attention(x: Tensor, w: Dict[str, Tensor], heads: int) -> Tensor:
  return nn.linear(nn.attend(nn.heads_of(x, w, "attn2", heads, 1e-6), None, None, 0), w, "attn2.to_out.0")

# [batch, channels, height, width] -> [batch, tokens, width]: a convolution whose stride is its kernel size, computed as
# a linear layer.
def embed_patches(latents: Tensor, w: Dict[str, Tensor], patch: int, side: int) -> Tensor:
  b, c, height, width = latents.size()
  rows, columns = height // patch, width // patch
  patches = latents.reshape([b, c, rows, patch, columns, patch]).permute([0, 2, 4, 1, 3, 5]).reshape([b, rows * columns, -1])
  tokens = torch.linear(patches, w["pos_embed.proj.weight"].flatten(1), w["pos_embed.proj.bias"])
  return tokens + stable_diffusion_3.positions(w["pos_embed.pos_embed"], rows, columns, side)

# The centre crop of the learned positions [1, side * side, width].
def positions(table: Tensor, rows: int, columns: int, side: int) -> Tensor:
  square = table.view([side, side, -1])
  top, left = (side - rows) // 2, (side - columns) // 2
  return square[top:top + rows, left:left + columns].flatten(0, 1)

class SD3Transformer2DModel(Module):

  # The text input of the transformer: the concatenated features of both CLIPs, padded to the width of T5, then T5's tokens.
  def context(self, clip: Tensor, clip2: Tensor, t5: Tensor) -> Tensor:
    features = torch.cat([clip, clip2], -1)
    return torch.cat([torch.constant_pad_nd(features, [0, t5.size(2) - features.size(2)]), t5], 1)

  # The concatenated pooled embeddings of both CLIPs [batch, width].
  def pooled(self, clip: Tensor, clip2: Tensor) -> Tensor:
    return torch.cat([clip, clip2], -1)

  # Image tokens, text tokens and the embedding of time and prompt, the inputs of the first block.
  def embed(
      self,
      w: Dict[str, Tensor],
      latents: Tensor,
      context: Tensor,
      pooled: Tensor,
      timestep: float,
      patch: int,
      side: int) -> List[Tensor]:
    time = torch.full([latents.size(0)], timestep, dtype=6, device=latents.device)
    temb = nn.embed(nn.sinusoid(time, 256).to(latents.dtype), w, "time_text_embed.timestep_embedder")
    temb = temb + nn.embed(pooled, w, "time_text_embed.text_embedder")
    return [stable_diffusion_3.embed_patches(latents, w, patch, side), nn.linear(context, w, "context_embedder"), temb]

  # The modulated image tokens of the first block.
  def modulated(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor]) -> Tensor:
    chunks = nn.modulation(hidden[2], blocks[0], "norm1").split(hidden[0].size(2), -1)
    return nn.modulate(hidden[0], chunks[0], chunks[1])

  def first(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor], heads: int) -> List[Tensor]:
    img, txt = stable_diffusion_3.block(hidden[0], hidden[1], hidden[2], blocks[0], heads)
    return [img, txt, hidden[2]]

  # The image tokens after the last block.
  def rest(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor], done: int, heads: int) -> Tensor:
    img, txt, temb = hidden[0], hidden[1], hidden[2]
    for block in blocks[done:]:
      img, txt = stable_diffusion_3.block(img, txt, temb, block, heads)
    return img

  # Image tokens of rows x columns patches -> [batch, channels, height, width]
  def project(self, w: Dict[str, Tensor], img: Tensor, hidden: List[Tensor], rows: int, columns: int, patch: int) -> Tensor:
    scale, shift = nn.modulation(hidden[2], w, "norm_out").chunk(2, -1)
    patches = nn.linear(nn.modulate(img, shift, scale), w, "proj_out")
    split = patches.view([img.size(0), rows, columns, patch, patch, -1]).permute([0, 5, 1, 3, 2, 4])
    return split.reshape([img.size(0), -1, rows * patch, columns * patch])

  # The flow's velocity at a timestep in [0, 1000]: latents [batch, channels, height, width] -> the same shape.
  def forward(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      latents: Tensor,
      context: Tensor,
      pooled: Tensor,
      timestep: float,
      patch: int,
      side: int,
      heads: int) -> Tensor:
    hidden = self.embed(w, latents, context, pooled, timestep, patch, side)
    rows, columns = latents.size(2) // patch, latents.size(3) // patch
    return self.project(w, self.rest(blocks, hidden, 0, heads), hidden, rows, columns, patch)
