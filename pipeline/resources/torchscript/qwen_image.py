# Qwen-Image (Alibaba): double blocks alone, over the whole of a language model's last hidden state.
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
  img = img + gate * img_out
  img = img + gate2 * nn.feed_forward(nn.modulate(img, shift2, scale2), w, "img_mlp")
  txt = txt + txt_gate * txt_out
  txt = txt + txt_gate2 * nn.feed_forward(nn.modulate(txt, txt_shift2, txt_scale2), w, "txt_mlp")
  return (img, txt)

# All image tokens are attended to, and of each text its own.
def joint_mask(lengths: List[int], images: int, device: Device) -> Optional[Tensor]:
  mask = nn.key_mask(lengths, device)
  if mask is not None:
    mask = torch.cat([mask, torch.ones([len(lengths), 1, 1, images], dtype=11, device=device)], 3)
  return mask

class QwenImageTransformer2DModel(Module):

  # What the transformer reads of texts: hidden states [batch, tokens, width], of which each row's first are text,
  # without the first of those -> [batch, longest of the given lengths, width], zeros behind each text.
  def context(self, states: Tensor, skipped: int, lengths: List[int]) -> Tensor:
    longest = max(lengths)
    texts = annotate(List[Tensor], [])
    for i in range(len(lengths)):
      text = states[i:i + 1, skipped:skipped + lengths[i]]
      texts.append(torch.constant_pad_nd(text, [0, 0, 0, longest - lengths[i]]))
    return torch.cat(texts, 0)

  # Image tokens stand at (0, row, column) around the picture's centre, text tokens behind it on the diagonal:
  # a table [tokens, head width / 2].
  def rope(self, text_tokens: int, rows: int, columns: int, widths: List[int], device: str) -> Tensor:
    image = torch.zeros([rows, columns, 3], dtype=6, device=torch.device(device))
    image[..., 1] = (torch.arange(rows, dtype=6, device=image.device) - (rows - rows // 2)).unsqueeze(1)
    image[..., 2] = torch.arange(columns, dtype=6, device=image.device) - (columns - columns // 2)
    text = torch.arange(text_tokens, dtype=6, device=image.device) + max(rows // 2, columns // 2)
    positions = torch.cat([text.unsqueeze(1).expand([text_tokens, 3]), image.flatten(0, 1)], 0)
    return nn.turns(nn.angles(positions, widths, 10000., 6))

  # The flow's velocity at a timestep in [0, 1000]: latents [batch, tokens, channels] -> the same shape.
  # Dividing and multiplying by 1000 looks idle, but rounds 16-bit timesteps as diffusers does.
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
    time = torch.full([latents.size(0)], timestep, dtype=latents.dtype, device=latents.device) / 1000
    temb = nn.embed(nn.sinusoid(time.to(6) * 1000, 256).to(latents.dtype), w, "time_text_embed.timestep_embedder")
    img = nn.linear(latents, w, "img_in")
    txt = nn.linear(nn.rms_norm(context, w["txt_norm.weight"], 1e-6), w, "txt_in")
    mask = qwen_image.joint_mask(lengths, img.size(1), img.device)
    for weights in blocks:
      img, txt = qwen_image.block(img, txt, temb, rope, mask, weights, heads)
    scale, shift = nn.modulation(temb, w, "norm_out").chunk(2, -1)
    return nn.linear(nn.modulate(img, shift, scale), w, "proj_out")

  # Classifier-free guidance, scale [batch], under which each token keeps the norm of its positive velocity.
  def guide(self, negative: Tensor, positive: Tensor, scale: Tensor) -> Tensor:
    guided = negative + scale.to(positive.dtype).view([-1, 1, 1]) * (positive - negative)
    norm = torch.linalg_vector_norm(positive, 2, [-1], True)
    return guided * (norm / torch.linalg_vector_norm(guided, 2, [-1], True))
