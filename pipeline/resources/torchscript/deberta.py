# DeBERTa-v2 and v3 (He et al. 2021): attention with separate terms for content and relative position.
import nn
import blocks
import sequence_classifier

# Distances between tokens [tokens, tokens]; buckets are exact for small distances and logarithmic for large ones.
def distances(tokens: int, buckets: int, most: int, device: Device) -> Tensor:
  position = torch.arange(tokens, device=device)
  distance = position.unsqueeze(1) - position.unsqueeze(0)
  if buckets > 0:
    middle = buckets // 2
    away = torch.abs(distance)
    far = torch.clamp(away, middle - 1).to(6)
    span = torch.log(torch.scalar_tensor((most - 1) / middle, dtype=6, device=device))
    log = (torch.ceil(torch.log(far / middle) / span * (middle - 1)) + middle).to(4)
    distance = torch.where(away <= middle, distance, log * torch.sign(distance))
  return distance

def attention(
    x: Tensor,
    w: Dict[str, Tensor],
    relative: Optional[Tensor],
    distance: Tensor,
    kinds: List[str],
    heads: int) -> Tensor:
  q = nn.split_heads(nn.linear(x, w, "self_attn.q_proj"), heads)
  k = nn.split_heads(nn.linear(x, w, "self_attn.k_proj"), heads)
  v = nn.split_heads(nn.linear(x, w, "self_attn.v_proj"), heads)
  factor = 1
  if "c2p" in kinds:
    factor = factor + 1
  if "p2c" in kinds:
    factor = factor + 1
  scale = torch.sqrt(torch.scalar_tensor(q.size(-1) * factor, dtype=6, device=x.device))
  scores = torch.matmul(q, k.transpose(-1, -2) / scale)
  if relative is not None:
    span = relative.size(0) // 2
    key, query = "self_attn.k_proj", "self_attn.q_proj"
    if "self_attn.pos_key_proj.weight" in w:
      key = "self_attn.pos_key_proj"
    if "self_attn.pos_query_proj.weight" in w:
      query = "self_attn.pos_query_proj"
    shape = [q.size(0), heads, -1, -1]
    if "c2p" in kinds:
      index = torch.clamp(distance + span, 0, span * 2 - 1).expand(shape)
      keys = nn.split_heads(nn.linear(relative.unsqueeze(0), w, key), heads)
      scores = scores + torch.gather(torch.matmul(q, keys.transpose(-1, -2)), -1, index) / scale
    if "p2c" in kinds:
      index = torch.clamp(span - distance, 0, span * 2 - 1).expand(shape)
      queries = nn.split_heads(nn.linear(relative.unsqueeze(0), w, query), heads)
      scores = scores + torch.gather(torch.matmul(k, queries.transpose(-1, -2)), -1, index).transpose(-1, -2) / scale
  attended = nn.merge_heads(torch.matmul(torch.softmax(scores, -1), v))
  return nn.linear(attended, w, "self_attn.out_proj")

# The convolution of DeBERTa-v2, over the embeddings, whose result is added to the output of the first layer.
def convolved(x: Tensor, first: Tensor, w: Dict[str, Tensor], act: str, groups: int, eps: float) -> Tensor:
  weight = w["encoder.conv.conv.weight"]
  y = torch.conv1d(x.transpose(1, 2), weight, w["encoder.conv.conv.bias"], [1], [(weight.size(2) - 1) // 2], [1], groups)
  return nn.layer_norm(first + blocks.pooled(y.transpose(1, 2), act), w, "encoder.conv.LayerNorm", eps)

class Deberta(Module):

  # ids [batch, tokens] of texts without padding -> logits [batch, labels].
  def forward(
      self,
      w: Dict[str, Tensor],
      layers: List[Dict[str, Tensor]],
      ids: Tensor,
      heads: int,
      act: str,
      head_act: str,
      eps: float,
      kinds: str,
      buckets: int,
      most: int,
      conv_act: str,
      conv_groups: int) -> Tensor:
    embedded = sequence_classifier.embedded(w, ids, 0, eps)
    relative = w.get("encoder.rel_embeddings.weight")
    if relative is not None:
      if "encoder.LayerNorm.weight" in w:
        relative = nn.layer_norm(relative, w, "encoder.LayerNorm", eps)
    distance = deberta.distances(ids.size(1), buckets, most, ids.device)
    x = embedded
    for i in range(len(layers)):
      x = blocks.post_norm(x, deberta.attention(x, layers[i], relative, distance, kinds.split("|"), heads), layers[i], act, eps)
      if i == 0 and "encoder.conv.conv.weight" in w:
        x = deberta.convolved(embedded, x, w, conv_act, conv_groups, eps)
    return sequence_classifier.classified(x, w, head_act)
