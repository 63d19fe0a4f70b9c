# Qwen-Image (Alibaba): double blocks only, over the last hidden states of a language model.
import nn

def modulation(temb: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.linear(torch.silu(temb), w, name + ".1").unsqueeze(1)

def block(
    img: Tensor,
    txt: Tensor,
    temb: Tensor,
    rope: Tensor,
    mask: Optional[Tensor],
    w: Dict[str, Tensor],
    heads: int) -> Tuple[Tensor, Tensor]:
  shift, scale, gate, shift2, scale2, gate2 = qwen_image.modulation(temb, w, "img_mod").chunk(6, -1)
  txt_shift, txt_scale, txt_gate, txt_shift2, txt_scale2, txt_gate2 = qwen_image.modulation(temb, w, "txt_mod").chunk(6, -1)
  img_out, txt_out = nn.joint_attention(nn.modulate(img, shift, scale), nn.modulate(txt, txt_shift, txt_scale), rope, mask, w, heads)
  img = nn.gated(img, gate, img_out)
  img = nn.gated_(img, gate2, nn.feed_forward(nn.modulate(img, shift2, scale2), w, "img_mlp"))
  txt = nn.gated(txt, txt_gate, txt_out)
  txt = nn.gated_(txt, txt_gate2, nn.feed_forward(nn.modulate(txt, txt_shift2, txt_scale2), w, "txt_mlp"))
  return (img, txt)

# The attention mask: all image tokens, and the text tokens of each row without its padding.
def joint_mask(lengths: List[int], texts: int, images: int, device: Device) -> Optional[Tensor]:
  mask = nn.key_mask(lengths, texts, device)
  if mask is not None:
    mask = torch.cat([mask, torch.ones([len(lengths), 1, 1, images], dtype=11, device=device)], 3)
  return mask

class QwenImageTransformer2DModel(Module):

  # The text input of the transformer: hidden states [batch, tokens, width] of texts with padding, without the tokens of
  # the template -> [batch, longest of the given lengths, width], padded with zeros.
  def context(self, states: Tensor, skipped: int, lengths: List[int]) -> Tensor:
    longest = max(lengths)
    texts = annotate(List[Tensor], [])
    for i in range(len(lengths)):
      text = states[i:i + 1, skipped:skipped + lengths[i]]
      texts.append(torch.constant_pad_nd(text, [0, 0, 0, longest - lengths[i]]))
    return torch.cat(texts, 0)

  # Image tokens have the positions (0, row, column), counted from the centre of the image, text tokens (i, i, i) beyond
  # them: a rotary table [tokens, head width / 2].
  def rope(self, text_tokens: int, rows: int, columns: int, widths: List[int], device: str) -> Tensor:
    image = torch.zeros([rows, columns, 3], dtype=6, device=torch.device(device))
    image[..., 1] = (torch.arange(rows, dtype=6, device=image.device) - (rows - rows // 2)).unsqueeze(1)
    image[..., 2] = torch.arange(columns, dtype=6, device=image.device) - (columns - columns // 2)
    text = torch.arange(text_tokens, dtype=6, device=image.device) + max(rows // 2, columns // 2)
    positions = torch.cat([text.unsqueeze(1).expand([text_tokens, 3]), image.flatten(0, 1)], 0)
    return nn.turns(nn.angles(positions, widths, 10000., 6))

  # Image tokens, text tokens and the embedding of the time, the inputs of the first block, and the length of each text.
  # Dividing and multiplying by 1000 has the effect of rounding 16-bit timesteps as diffusers does.
  def embed(self, w: Dict[str, Tensor], latents: Tensor, context: Tensor, lengths: List[int], timestep: float) -> List[Tensor]:
    time = torch.full([latents.size(0)], timestep, dtype=latents.dtype, device=latents.device) / 1000
    temb = nn.embed(nn.sinusoid(time.to(6) * 1000, 256).to(latents.dtype), w, "time_text_embed.timestep_embedder")
    txt = nn.linear(nn.rms_norm(context, w["txt_norm.weight"], 1e-6), w, "txt_in")
    return [nn.linear(latents, w, "img_in"), txt, temb, torch.tensor(lengths, dtype=4)]

  # The modulated image tokens of the first block.
  def modulated(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor]) -> Tensor:
    shift, scale = qwen_image.modulation(hidden[2], blocks[0], "img_mod").chunk(6, -1)[:2]
    return nn.modulate(hidden[0], shift, scale)

  def blocks(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor], rope: Tensor, heads: int) -> List[Tensor]:
    img, txt, temb, lengths = hidden[0], hidden[1], hidden[2], hidden[3]
    mask = qwen_image.joint_mask(annotate(List[int], lengths.tolist()), txt.size(1), img.size(1), img.device)
    for weights in blocks:
      img, txt = qwen_image.block(img, txt, temb, rope, mask, weights, heads)
    return [img, txt, temb, lengths]

  def first(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor], rope: Tensor, heads: int) -> List[Tensor]:
    return self.blocks(blocks[:1], hidden, rope, heads)

  # The image tokens after the last block.
  def rest(self, blocks: List[Dict[str, Tensor]], hidden: List[Tensor], done: int, rope: Tensor, heads: int) -> Tensor:
    return self.blocks(blocks[done:], hidden, rope, heads)[0]

  def project(self, w: Dict[str, Tensor], img: Tensor, hidden: List[Tensor]) -> Tensor:
    scale, shift = nn.modulation(hidden[2], w, "norm_out").chunk(2, -1)
    return nn.linear(nn.modulate(img, shift, scale), w, "proj_out")

  # The flow's velocity at a timestep in [0, 1000]: latents [batch, tokens, channels] -> the same shape.
  def forward(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      latents: Tensor,
      context: Tensor,
      lengths: List[int],
      timestep: float,
      rope: Tensor,
      heads: int) -> Tensor:
    hidden = self.embed(w, latents, context, lengths, timestep)
    return self.project(w, self.rest(blocks, hidden, 0, rope, heads), hidden)

  # Classifier-free guidance, scale [batch], with each token rescaled to the norm of its velocity under the prompt.
  def guide(self, negative: Tensor, positive: Tensor, scale: Tensor) -> Tensor:
    guided = negative + scale.to(positive.dtype).view([-1, 1, 1]) * (positive - negative)
    norm = torch.linalg_vector_norm(positive, 2, [-1], True)
    return guided * (norm / torch.linalg_vector_norm(guided, 2, [-1], True))
