# The language models Qwen3 and Qwen2.5: causal transformers with grouped-query attention.
import nn

# Rotary embedding of channel pairs (i, i + half of the head width).
def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
  a, b = x.chunk(2, -1)
  return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

# Qwen3 normalises queries and keys within each head.
def normed(x: Tensor, w: Dict[str, Tensor], name: str, eps: float) -> Tensor:
  if name + ".weight" in w:
    y = nn.rms_norm(x, w[name + ".weight"], eps)
  else:
    y = x
  return y

# Attention without a mask: text tokens attend to the text up to themselves, padding tokens to all text and no padding.
def attention(
    x: Tensor,
    cos: Tensor,
    sin: Tensor,
    w: Dict[str, Tensor],
    text: int,
    heads: int,
    key_heads: int,
    eps: float) -> Tensor:
  q = qwen.normed(nn.split_heads(nn.linear(x, w, "self_attn.q_proj"), heads), w, "self_attn.q_norm", eps)
  k = qwen.normed(nn.split_heads(nn.linear(x[:, :text], w, "self_attn.k_proj"), key_heads), w, "self_attn.k_norm", eps)
  v = nn.split_heads(nn.linear(x[:, :text], w, "self_attn.v_proj"), key_heads)
  q = qwen.rotate(q, cos, sin)
  k = torch.repeat_interleave(qwen.rotate(k, cos[:text], sin[:text]), heads // key_heads, 1)
  v = torch.repeat_interleave(v, heads // key_heads, 1)
  attended = nn.merge_heads(torch.scaled_dot_product_attention(q[:, :, :text], k, v, None, 0., True))
  if text < x.size(1):
    attended = torch.cat([attended, nn.attention(q[:, :, text:], k, v)], 1)
  return nn.linear(attended, w, "self_attn.o_proj")

def feed_forward(x: Tensor, w: Dict[str, Tensor]) -> Tensor:
  return nn.linear(torch.silu(nn.linear(x, w, "mlp.gate_proj")) * nn.linear(x, w, "mlp.up_proj"), w, "mlp.down_proj")

class QwenModel(Module):

  # ids [1, tokens], text and then padding -> hidden states [1, tokens, states * width],
  # numbered as in transformers: state 0 is the input of the first layer, state i the output of layer i - 1. The last one
  # is the output of the last given layer, after the final norm if the weights have it.
  def forward(
      self,
      w: Dict[str, Tensor],
      layers: List[Dict[str, Tensor]],
      ids: Tensor,
      text: int,
      states: List[int],
      heads: int,
      key_heads: int,
      head_width: int,
      theta: float,
      eps: float) -> Tensor:
    position = torch.arange(ids.size(1), device=ids.device).unsqueeze(1)
    angle = nn.angles(position, [head_width], theta, 6)
    x = torch.embedding(w["embed_tokens.weight"], ids)
    cos, sin = torch.cos(angle).to(x.dtype), torch.sin(angle).to(x.dtype)
    found = annotate(List[Tensor], [])
    for i in range(len(layers)):
      if i in states:
        found.append(x)
      h = nn.rms_norm(x, layers[i]["input_layernorm.weight"], eps)
      x = x + qwen.attention(h, cos, sin, layers[i], text, heads, key_heads, eps)
      x = x + qwen.feed_forward(nn.rms_norm(x, layers[i]["post_attention_layernorm.weight"], eps), layers[i])
    found.append(qwen.normed(x, w, "norm", eps))
    return torch.cat(found, -1)

  # One of several concatenated states.
  def state(self, states: Tensor, number: int, count: int) -> Tensor:
    return states.chunk(count, -1)[number]
