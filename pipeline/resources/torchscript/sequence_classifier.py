# Text classifiers: BERT (Devlin et al. 2019), RoBERTa (Liu et al. 2019), DistilBERT (Sanh et al. 2019).
import nn
import blocks

def embedded(w: Dict[str, Tensor], ids: Tensor, first: int, eps: float) -> Tensor:
  x = torch.embedding(w["embeddings.word_embeddings.weight"], ids)
  if "embeddings.token_type_embeddings.weight" in w:
    x = x + w["embeddings.token_type_embeddings.weight"][0]
  if "embeddings.position_embeddings.weight" in w:
    x = x + w["embeddings.position_embeddings.weight"][first:first + ids.size(1)]
  if "embeddings.embed_proj.weight" in w:
    x = nn.linear(x, w, "embeddings.embed_proj")
  return nn.layer_norm(x, w, "embeddings.LayerNorm", eps)

# The first token, pooled and classified: [batch, labels].
def classified(x: Tensor, w: Dict[str, Tensor], act: str) -> Tensor:
  return nn.linear(blocks.pooled(nn.linear(x[:, 0], w, "head"), act), w, "classifier")

class SequenceClassifier(Module):

  # ids [batch, tokens] of texts without padding -> logits [batch, labels]; the first token has the position `first`.
  def forward(
      self,
      w: Dict[str, Tensor],
      layers: List[Dict[str, Tensor]],
      ids: Tensor,
      first: int,
      heads: int,
      act: str,
      head_act: str,
      eps: float) -> Tensor:
    x = sequence_classifier.embedded(w, ids, first, eps)
    for weights in layers:
      x = blocks.post_norm(x, blocks.attention(x, weights, heads, False), weights, act, eps)
    return sequence_classifier.classified(x, w, head_act)
