# The text encoder of CLIP (Radford et al. 2021): a causal transformer.
import nn

def layer(x: Tensor, w: Dict[str, Tensor], heads: int, act: str, eps: float) -> Tensor:
  h = nn.layer_norm(x, w, "layer_norm1", eps)
  q = nn.split_heads(nn.linear(h, w, "self_attn.q_proj"), heads)
  k = nn.split_heads(nn.linear(h, w, "self_attn.k_proj"), heads)
  v = nn.split_heads(nn.linear(h, w, "self_attn.v_proj"), heads)
  attended = nn.merge_heads(torch.scaled_dot_product_attention(q, k, v, None, 0., True))
  x = x + nn.linear(attended, w, "self_attn.out_proj")
  h = nn.activation(nn.linear(nn.layer_norm(x, w, "layer_norm2", eps), w, "mlp.fc1"), act)
  return x + nn.linear(h, w, "mlp.fc2")

class CLIPTextModel(Module):

  # ids [batch, tokens] -> hidden states [batch, tokens, width] before the last layer.
  def penultimate(
      self,
      w: Dict[str, Tensor],
      layers: List[Dict[str, Tensor]],
      ids: Tensor,
      heads: int,
      act: str,
      eps: float) -> Tensor:
    positions = w["embeddings.position_embedding.weight"][:ids.size(1)]
    x = torch.embedding(w["embeddings.token_embedding.weight"], ids) + positions
    for weights in layers[:-1]:
      x = clip.layer(x, weights, heads, act, eps)
    return x

  # Last layer and final norm, applied to those hidden states.
  def last(
      self,
      w: Dict[str, Tensor],
      layers: List[Dict[str, Tensor]],
      penultimate: Tensor,
      heads: int,
      act: str,
      eps: float) -> Tensor:
    return nn.layer_norm(clip.layer(penultimate, layers[-1], heads, act, eps), w, "final_layer_norm", eps)

  # The hidden state at the end of the text [batch, width]. Older configs have eos_token_id 2, which is not the
  # id of the end; transformers then takes the largest id, and so does this.
  def pool(self, hidden: Tensor, ids: Tensor, eos_token_id: int) -> Tensor:
    if eos_token_id == 2:
      end = torch.argmax(ids, -1)
    else:
      end = torch.argmax((ids == eos_token_id).to(3), -1)
    return hidden[torch.arange(hidden.size(0), device=hidden.device), end]

  # Projection into the embedding space that texts and images share: [batch, width] -> [batch, projection].
  def project(self, w: Dict[str, Tensor], pooled: Tensor) -> Tensor:
    return nn.linear(pooled, w, "text_projection")
