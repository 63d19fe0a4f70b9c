# Similarity of texts and images: the text encoders of CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023), and
# the cosines of embeddings.
import nn
import blocks

def normal(x: Tensor) -> Tensor:
  return x / torch.sqrt(torch.sum(x * x, [-1], True))

class Similarity(Module):

  # ids [1, tokens] -> [1, width]: CLIP encodes the text up to index end, SigLIP all tokens with padding.
  def text(
      self,
      w: Dict[str, Tensor],
      layers: List[Dict[str, Tensor]],
      ids: Tensor,
      end: int,
      heads: int,
      act: str,
      eps: float) -> Tensor:
    x = torch.embedding(w["embeddings.token_embedding.weight"], ids)
    x = x + w["embeddings.position_embedding.weight"][:ids.size(1)]
    causal = "text_projection.weight" in w
    for weights in layers:
      x = blocks.pre_norm_block(x, weights, heads, act, eps, causal)
    x = nn.layer_norm(x[:, end], w, "final_layer_norm", eps)
    if causal:
      y = nn.linear(x, w, "text_projection")
    else:
      y = nn.linear(x, w, "head")
    return y

  # Cosines [a, b] between the rows of a and those of b.
  def cosines(self, a: Tensor, b: Tensor) -> Tensor:
    return torch.matmul(similarity.normal(a), similarity.normal(b).t())

  # logits_per_image [1] of an image and a text.
  def score(self, w: Dict[str, Tensor], picture: Tensor, text: Tensor) -> Tensor:
    score = torch.sum(similarity.normal(picture) * similarity.normal(text), [-1]) * torch.exp(w["logit_scale"])
    if "logit_bias" in w:
      score = score + w["logit_bias"]
    return score

  def tensor(self, w: Dict[str, Tensor], name: str) -> Tensor:
    return w[name]
