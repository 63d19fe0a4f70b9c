# FLUX.1 (Black Forest Labs): a rectified-flow transformer over text and image tokens.
# Double blocks keep two streams that attend jointly; single blocks run over both as one.
import nn

def modulation(temb: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.silu_linear_rows(temb, w, name + ".linear").unsqueeze(1)

def query_key_value(x: Tensor, w: Dict[str, Tensor], q: str, k: str, v: str, norm_q: str, norm_k: str, heads: int) -> Tuple[Tensor, Tensor, Tensor]:
  query = nn.rms_norm(nn.split_heads(nn.linear(x, w, q), heads), w[norm_q], 1e-6)
  key = nn.rms_norm(nn.split_heads(nn.linear(x, w, k), heads), w[norm_k], 1e-6)
  return (query, key, nn.split_heads(nn.linear(x, w, v), heads))

def feed_forward(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  return nn.linear(torch.gelu(nn.linear(x, w, name + ".net.0.proj"), approximate="tanh"), w, name + ".net.2")

def double_block(img: Tensor, txt: Tensor, temb: Tensor, cos: Tensor, sin: Tensor, w: Dict[str, Tensor], heads: int) -> Tuple[Tensor, Tensor]:
  shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = flux.modulation(temb, w, "norm1").chunk(6, -1)
  txt_shift, txt_scale, txt_gate, txt_mlp_shift, txt_mlp_scale, txt_mlp_gate = flux.modulation(temb, w, "norm1_context").chunk(6, -1)

  q, k, v = flux.query_key_value(nn.norm(img) * (1 + scale) + shift, w, "attn.to_q", "attn.to_k", "attn.to_v", "attn.norm_q.weight", "attn.norm_k.weight", heads)
  txt_q, txt_k, txt_v = flux.query_key_value(nn.norm(txt) * (1 + txt_scale) + txt_shift, w, "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj", "attn.norm_added_q.weight", "attn.norm_added_k.weight", heads)
  q = nn.rotate(torch.cat([txt_q, q], 2), cos, sin)
  k = nn.rotate(torch.cat([txt_k, k], 2), cos, sin)
  attended = nn.attention(q, k, torch.cat([txt_v, v], 2))

  tokens = txt.size(1)
  img = img + gate * nn.linear(attended[:, tokens:], w, "attn.to_out.0")
  img = img + mlp_gate * flux.feed_forward(nn.norm(img) * (1 + mlp_scale) + mlp_shift, w, "ff")
  txt = txt + txt_gate * nn.linear(attended[:, :tokens], w, "attn.to_add_out")
  txt = txt + txt_mlp_gate * flux.feed_forward(nn.norm(txt) * (1 + txt_mlp_scale) + txt_mlp_shift, w, "ff_context")
  return (img, txt)

def single_block(x: Tensor, temb: Tensor, cos: Tensor, sin: Tensor, w: Dict[str, Tensor], heads: int) -> Tensor:
  shift, scale, gate = flux.modulation(temb, w, "norm").chunk(3, -1)
  normed = nn.norm(x) * (1 + scale) + shift
  mlp = torch.gelu(nn.linear(normed, w, "proj_mlp"), approximate="tanh")
  q, k, v = flux.query_key_value(normed, w, "attn.to_q", "attn.to_k", "attn.to_v", "attn.norm_q.weight", "attn.norm_k.weight", heads)
  attended = nn.attention(nn.rotate(q, cos, sin), nn.rotate(k, cos, sin), v)
  return x + gate * nn.linear(torch.cat([attended, mlp], 2), w, "proj_out")

class FluxTransformer2DModel(Module):

  # Text tokens stand at the origin, image tokens on their (row, column): cosines and sines [tokens, head width].
  def rope(self, text_tokens: int, rows: int, columns: int, widths: List[int], device: str) -> Tuple[Tensor, Tensor]:
    positions = torch.zeros([rows, columns, 3], dtype=7, device=torch.device(device))
    positions[..., 1] = positions[..., 1] + torch.arange(rows, dtype=7, device=positions.device).unsqueeze(1)
    positions[..., 2] = positions[..., 2] + torch.arange(columns, dtype=7, device=positions.device).unsqueeze(0)
    text = torch.zeros([text_tokens, 3], dtype=7, device=positions.device)
    return nn.rope(torch.cat([text, positions.flatten(0, 1)], 0), widths, 10000.)

  # The flow's velocity at a timestep in [0, 1000]: latents [batch, tokens, channels] -> the same shape.
  # Dividing and multiplying by 1000 looks idle, but rounds 16-bit timesteps as diffusers does.
  def forward(self, w: Dict[str, Tensor], blocks: List[Dict[str, Tensor]], single_blocks: List[Dict[str, Tensor]], latents: Tensor, context: Tensor, pooled: Tensor, timestep: float, guidance: Tensor, rope: Tuple[Tensor, Tensor], heads: int) -> Tensor:
    cos, sin = rope
    time = torch.full([latents.size(0)], timestep, dtype=latents.dtype, device=latents.device) / 1000 * 1000
    temb = nn.embed(nn.sinusoid(time, 256).to(latents.dtype), w, "time_text_embed.timestep_embedder")
    if "time_text_embed.guidance_embedder.linear_1.weight" in w:
      strength = guidance.to(latents.dtype) * 1000
      temb = temb + nn.embed(nn.sinusoid(strength, 256).to(latents.dtype), w, "time_text_embed.guidance_embedder")
    temb = temb + nn.embed(pooled, w, "time_text_embed.text_embedder")

    img = nn.linear(latents, w, "x_embedder")
    txt = nn.linear(context, w, "context_embedder")
    for block in blocks:
      img, txt = flux.double_block(img, txt, temb, cos, sin, block, heads)
    x = torch.cat([txt, img], 1)
    for block in single_blocks:
      x = flux.single_block(x, temb, cos, sin, block, heads)

    scale, shift = flux.modulation(temb, w, "norm_out").chunk(2, -1)
    return nn.linear(nn.norm(x[:, txt.size(1):]) * (1 + scale) + shift, w, "proj_out")
