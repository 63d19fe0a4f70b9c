# The encoder of T5 (Raffel et al. 2020, v1.1): relative positions, RMS norms, gated GELU, no biases.
import nn

# Distances between tokens in buckets: exact for small distances, logarithmic for large ones, with separate buckets for
# each direction.
def buckets(tokens: int, count: int, max_distance: int, device: Device) -> Tensor:
  position = torch.arange(tokens, device=device)
  distance = position.unsqueeze(0) - position.unsqueeze(1)
  half = count // 2
  after = (distance > 0).to(4) * half
  distance = torch.abs(distance)
  exact = half // 2
  span = torch.log(torch.scalar_tensor(max_distance / exact, dtype=6, device=device))
  far = exact + (torch.log(distance.to(6) / exact) / span * (half - exact)).to(4)
  far = torch.minimum(far, torch.full_like(distance, half - 1))
  return after + torch.where(distance < exact, distance, far)

def gate(x: Tensor, w: Dict[str, Tensor], act: str) -> Tensor:
  if act == "gelu_new":
    y = nn.linear_gelu(x, w, "layer.1.DenseReluDense.wi_0")
  else:
    y = nn.activation(nn.linear(x, w, "layer.1.DenseReluDense.wi_0"), act)
  return y

def block(x: Tensor, w: Dict[str, Tensor], bias: Tensor, heads: int, act: str, eps: float) -> Tensor:
  h = nn.rms_norm(x, w["layer.0.layer_norm.weight"], eps)
  q = nn.split_heads(nn.linear(h, w, "layer.0.SelfAttention.q"), heads)
  k = nn.split_heads(nn.linear(h, w, "layer.0.SelfAttention.k"), heads)
  v = nn.split_heads(nn.linear(h, w, "layer.0.SelfAttention.v"), heads)
  attended = nn.merge_heads(torch.scaled_dot_product_attention(q, k, v, bias, 0., False, scale=1.))
  x = x + nn.linear(attended, w, "layer.0.SelfAttention.o")
  h = nn.rms_norm(x, w["layer.1.layer_norm.weight"], eps)
  if "layer.1.DenseReluDense.wi_0.weight" in w:
    inner = t5.gate(h, w, act) * nn.linear(h, w, "layer.1.DenseReluDense.wi_1")
  else:
    inner = nn.activation(nn.linear(h, w, "layer.1.DenseReluDense.wi"), act)
  return x + nn.linear(inner, w, "layer.1.DenseReluDense.wo")

class T5EncoderModel(Module):

  # What each head adds to the attention between tokens, by their distance: [1, heads, tokens, tokens].
  def bias(self, blocks: List[Dict[str, Tensor]], tokens: int, bucket_count: int, max_distance: int) -> Tensor:
    weight = blocks[0]["layer.0.SelfAttention.relative_attention_bias.weight"]
    near = t5.buckets(tokens, bucket_count, max_distance, weight.device)
    return torch.embedding(weight, near).permute([2, 0, 1]).unsqueeze(0).contiguous()

  # ids [batch, tokens] -> hidden states [batch, tokens, width]. Padding is attended to, as diffusers does it.
  def forward(
      self,
      w: Dict[str, Tensor],
      blocks: List[Dict[str, Tensor]],
      ids: Tensor,
      bias: Tensor,
      heads: int,
      act: str,
      eps: float) -> Tensor:
    x = torch.embedding(w["shared.weight"], ids)
    for weights in blocks:
      x = t5.block(x, weights, bias, heads, act, eps)
    return nn.rms_norm(x, w["encoder.final_layer_norm.weight"], eps)
