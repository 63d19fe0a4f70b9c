# Layers over plain and over packed weights, for a test.
import nn

class Layers(Module):

  def random(self, device: str, shape: List[int], seed: int) -> Tensor:
    generator = torch.Generator(device=torch.device(device)).manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=6)

  # What every kind of layer computes, one after the other: tokens [1, tokens, width], a picture [1, channels, height, width].
  def computed(self, w: Dict[str, Tensor], tokens: Tensor, picture: Tensor) -> Tensor:
    found = annotate(List[Tensor], [])
    found.append(nn.linear(tokens, w, "linear"))
    found.append(nn.linear_gelu(tokens, w, "linear"))
    found.append(nn.linears(tokens, w, "attn.to_qkv", ["attn.to_q", "attn.to_k", "attn.to_v"]))
    found.append(nn.conv(picture, w, "conv"))
    found.append(nn.conv(nn.channels_last(picture), w, "conv"))
    found.append(nn.upsample(nn.channels_last(picture), w, "upsampling"))
    flat = annotate(List[Tensor], [])
    for tensor in found:
      flat.append(tensor.contiguous().flatten())
    return torch.cat(flat, 0)

