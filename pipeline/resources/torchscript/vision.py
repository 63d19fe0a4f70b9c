# Image encoders: ViT (Dosovitskiy et al. 2021) and the image encoders of CLIP (Radford et al. 2021) and
# SigLIP (Zhai et al. 2023), with the layer names of CLIP.
import nn
import blocks

# [batch, 3, height, width] -> [batch, patches, width]
def patches(pixels: Tensor, w: Dict[str, Tensor], size: int) -> Tensor:
  b, c, height, width = pixels.size()
  x = pixels.reshape([b, c, height // size, size, width // size, size]).permute([0, 2, 4, 1, 3, 5]).flatten(3).flatten(1, 2)
  return torch.linear(x, w["embeddings.patch_embedding.weight"].flatten(1), w.get("embeddings.patch_embedding.bias"))

# SigLIP's pooling: a learned query attends to all patches.
def attended(x: Tensor, w: Dict[str, Tensor], heads: int, act: str, eps: float) -> Tensor:
  weights, biases = w["head.attention.in_proj_weight"].chunk(3), w["head.attention.in_proj_bias"].chunk(3)
  q = nn.split_heads(torch.linear(w["head.probe"].expand([x.size(0), 1, -1]), weights[0], biases[0]), heads)
  k = nn.split_heads(torch.linear(x, weights[1], biases[1]), heads)
  v = nn.split_heads(torch.linear(x, weights[2], biases[2]), heads)
  y = nn.linear(nn.attention(q, k, v), w, "head.attention.out_proj")
  h = nn.activation(nn.linear(nn.layer_norm(y, w, "head.layernorm", eps), w, "head.mlp.fc1"), act)
  return (y + nn.linear(h, w, "head.mlp.fc2"))[:, 0]

class Vision(Module):

  # Normalised pixels [batch, 3, height, width] -> [batch, width] of the class token, or pooled if there is none;
  # classified or projected if the weights have such a layer.
  def forward(
      self,
      w: Dict[str, Tensor],
      layers: List[Dict[str, Tensor]],
      pixels: Tensor,
      patch: int,
      heads: int,
      act: str,
      eps: float) -> Tensor:
    x = vision.patches(pixels, w, patch)
    if "embeddings.class_embedding" in w:
      x = torch.cat([w["embeddings.class_embedding"].view([1, 1, -1]).expand([x.size(0), 1, -1]), x], 1)
    x = x + w["embeddings.position_embedding.weight"]
    if "pre_layrnorm.weight" in w:
      x = nn.layer_norm(x, w, "pre_layrnorm", eps)
    for weights in layers:
      x = blocks.pre_norm_block(x, weights, heads, act, eps, False)
    if "head.probe" in w:
      pooled = vision.attended(nn.layer_norm(x, w, "post_layernorm", eps), w, heads, act, eps)
    else:
      pooled = nn.layer_norm(x[:, 0], w, "post_layernorm", eps)
    if "classifier.weight" in w:
      pooled = nn.linear(pooled, w, "classifier")
    if "visual_projection.weight" in w:
      pooled = nn.linear(pooled, w, "visual_projection")
    return pooled
