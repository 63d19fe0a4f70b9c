# The decoder of AutoencoderKLQwenImage: a causal autoencoder of videos, which decodes an image as the first frame.
import nn

# The first frame has no frame before it, so only the last slice of each kernel over time is used.
def conv(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  weight = w[name + ".weight"]
  if weight.dim() == 5:
    weight = weight[:, :, -1]
  return nn.conv2d(x, weight, w[name + ".bias"])

# RMS norm over the channels.
def norm(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  length = torch.clamp_min(torch.linalg_vector_norm(x, 2, [1], True), 1e-12)
  return x / length * (x.size(1) ** 0.5) * w[name + ".gamma"].view([-1, 1, 1])

def resnet(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  h = autoencoder_kl_qwen_image.conv(torch.silu(autoencoder_kl_qwen_image.norm(x, w, name + ".norm1")), w, name + ".conv1")
  h = autoencoder_kl_qwen_image.conv(torch.silu(autoencoder_kl_qwen_image.norm(h, w, name + ".norm2")), w, name + ".conv2")
  if name + ".conv_shortcut.weight" in w:
    x = autoencoder_kl_qwen_image.conv(x, w, name + ".conv_shortcut")
  return x + h

# Attention of one head over all pixels.
def attention(x: Tensor, w: Dict[str, Tensor], name: str) -> Tensor:
  b, c, height, width = x.size()
  h = autoencoder_kl_qwen_image.conv(autoencoder_kl_qwen_image.norm(x, w, name + ".norm"), w, name + ".to_qkv")
  q, k, v = h.flatten(2).transpose(1, 2).unsqueeze(1).contiguous().chunk(3, -1)
  attended = nn.attention(q, k, v).transpose(1, 2).reshape([b, c, height, width])
  return x + autoencoder_kl_qwen_image.conv(attended, w, name + ".proj")

def decoder(x: Tensor, w: Dict[str, Tensor], up_blocks: int, resnets: int) -> Tensor:
  x = autoencoder_kl_qwen_image.conv(nn.channels_last(x), w, "post_quant_conv")
  x = autoencoder_kl_qwen_image.conv(x, w, "decoder.conv_in")
  x = autoencoder_kl_qwen_image.resnet(x, w, "decoder.mid_block.resnets.0")
  x = autoencoder_kl_qwen_image.attention(x, w, "decoder.mid_block.attentions.0")
  x = autoencoder_kl_qwen_image.resnet(x, w, "decoder.mid_block.resnets.1")
  for i in range(up_blocks):
    block = "decoder.up_blocks.{}".format(i)
    for j in range(resnets):
      x = autoencoder_kl_qwen_image.resnet(x, w, block + ".resnets.{}".format(j))
    if block + ".upsamplers.0.resample.1.weight" in w:
      x = nn.upsample(x, w, block + ".upsamplers.0.resample.1")
  return autoencoder_kl_qwen_image.conv(torch.silu(autoencoder_kl_qwen_image.norm(x, w, "decoder.norm_out")), w, "decoder.conv_out")

class AutoencoderKLQwenImage(Module):

  # Undoes the normalisation of the latents; mean and deviation [channels].
  def unscale(self, latents: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    return latents * deviation.view([-1, 1, 1]) + mean.view([-1, 1, 1])

  # [batch, latent channels, height, width] -> [batch, 3, height * factor, width * factor], not yet clamped.
  def decode(self, w: Dict[str, Tensor], latents: Tensor, up_blocks: int, resnets: int) -> Tensor:
    return autoencoder_kl_qwen_image.decoder(latents, w, up_blocks, resnets)

  # Clamps to [-1, 1], after the check for finite values: clamping makes infinity a valid colour.
  def clamp(self, decoded: Tensor) -> Tensor:
    return torch.clamp(decoded, -1, 1)

  # From [-1, 1] to [0, 1].
  def denormalize(self, image: Tensor) -> Tensor:
    return torch.clamp(image.to(6) / 2 + 0.5, 0, 1)
