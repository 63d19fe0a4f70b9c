# Transformer blocks with attention over a whole image or text.
import nn

def attention(x: Tensor, w: Dict[str, Tensor], heads: int, causal: bool) -> Tensor:
  q = nn.split_heads(nn.linear(x, w, "self_attn.q_proj"), heads)
  k = nn.split_heads(nn.linear(x, w, "self_attn.k_proj"), heads)
  v = nn.split_heads(nn.linear(x, w, "self_attn.v_proj"), heads)
  attended = nn.merge_heads(torch.scaled_dot_product_attention(q, k, v, None, 0., causal))
  return nn.linear(attended, w, "self_attn.out_proj")

def feed_forward(x: Tensor, w: Dict[str, Tensor], act: str) -> Tensor:
  return nn.linear(nn.activation(nn.linear(x, w, "mlp.fc1"), act), w, "mlp.fc2")

# A block with norms before attention and feed-forward, as in ViT, CLIP and SigLIP.
def pre_norm_block(x: Tensor, w: Dict[str, Tensor], heads: int, act: str, eps: float, causal: bool) -> Tensor:
  x = x + blocks.attention(nn.layer_norm(x, w, "layer_norm1", eps), w, heads, causal)
  return x + blocks.feed_forward(nn.layer_norm(x, w, "layer_norm2", eps), w, act)

# The rest of a block after its attention, with norms after attention and feed-forward, as in BERT.
def post_norm(x: Tensor, attended: Tensor, w: Dict[str, Tensor], act: str, eps: float) -> Tensor:
  x = nn.layer_norm(x + attended, w, "layer_norm1", eps)
  return nn.layer_norm(x + blocks.feed_forward(x, w, act), w, "layer_norm2", eps)

# The activations of poolers.
def pooled(x: Tensor, act: str) -> Tensor:
  if act == "tanh":
    y = torch.tanh(x)
  else:
    y = nn.activation(x, act)
  return y
