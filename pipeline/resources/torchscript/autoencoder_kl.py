# The decoder of AutoencoderKL: latents to pixels.
import nn

def resnet(x: Tensor, w: Dict[str, Tensor], name: str, groups: int) -> Tensor:
  h = nn.conv(torch.silu_(nn.group_norm(x, w, name + ".norm1", groups)), w, name + ".conv1")
  h = nn.conv(torch.silu_(nn.group_norm(h, w, name + ".norm2", groups)), w, name + ".conv2")
  if name + ".conv_shortcut.weight" in w:
    x = nn.conv(x, w, name + ".conv_shortcut")
  return h.add_(x)

# Attention of one head over all pixels.
def attention(x: Tensor, w: Dict[str, Tensor], name: str, groups: int) -> Tensor:
  b, c, height, width = x.size()
  tokens = nn.group_norm(x.flatten(2), w, name + ".group_norm", groups).transpose(1, 2)
  qkv = nn.linears(tokens, w, name + ".to_qkv", [name + ".to_q", name + ".to_k", name + ".to_v"])
  q, k, v = qkv.unsqueeze(1).chunk(3, -1)
  attended = nn.linear(nn.attention(q, k, v), w, name + ".to_out.0")
  return x + attended.transpose(1, 2).reshape([b, c, height, width])

def decoder(x: Tensor, w: Dict[str, Tensor], up_blocks: int, resnets: int, groups: int) -> Tensor:
  if "post_quant_conv.weight" in w:
    x = nn.conv(x, w, "post_quant_conv")
  x = nn.conv(nn.channels_last(x), w, "decoder.conv_in")
  x = autoencoder_kl.resnet(x, w, "decoder.mid_block.resnets.0", groups)
  if "decoder.mid_block.attentions.0.group_norm.weight" in w:
    x = autoencoder_kl.attention(x, w, "decoder.mid_block.attentions.0", groups)
  x = autoencoder_kl.resnet(x, w, "decoder.mid_block.resnets.1", groups)
  for i in range(up_blocks):
    block = "decoder.up_blocks.{}".format(i)
    for j in range(resnets):
      x = autoencoder_kl.resnet(x, w, block + ".resnets.{}".format(j), groups)
    if block + ".upsamplers.0.conv.weight" in w:
      x = nn.upsample(x, w, block + ".upsamplers.0.conv")
  return nn.conv(torch.silu_(nn.group_norm(x, w, "decoder.conv_norm_out", groups)), w, "decoder.conv_out")

class AutoencoderKL(Module):

  # Undoes the scaling of the latents.
  def unscale(self, latents: Tensor, scaling_factor: float, shift_factor: float) -> Tensor:
    return latents / scaling_factor + shift_factor

  # [batch, latent channels, height, width] -> [batch, 3, height * factor, width * factor], about [-1, 1].
  def decode(self, w: Dict[str, Tensor], latents: Tensor, up_blocks: int, resnets: int, groups: int) -> Tensor:
    return autoencoder_kl.decoder(latents, w, up_blocks, resnets, groups)

  # From [-1, 1] to [0, 1].
  def denormalize(self, image: Tensor) -> Tensor:
    return torch.clamp(image.to(6) / 2 + 0.5, 0, 1)
