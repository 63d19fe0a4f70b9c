# Latents: noise, sampling steps, guidance, and the conversion to pixels.

class Flow(Module):

  # torch.Generator("cpu").manual_seed(seed), as in diffusers. The device is an argument, because the engine makes a
  # generator of constants a constant that all callers share.
  def generator(self, device: str, seed: int) -> Generator:
    return torch.Generator(device=torch.device(device)).manual_seed(seed)

  # Computed on the CPU in the data type of the model, as in diffusers.
  def noise(self, generator: Generator, shape: List[int], dtype: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=dtype)

  # [batch, channels, height, width] -> [batch, height/2 * width/2, channels * 4]: one token for each 2x2 patch.
  def pack(self, latents: Tensor) -> Tensor:
    b, c, h, w = latents.size()
    return latents.view([b, c, h // 2, 2, w // 2, 2]).permute([0, 2, 4, 1, 3, 5]).reshape([b, (h // 2) * (w // 2), c * 4])

  def unpack(self, latents: Tensor, rows: int, columns: int) -> Tensor:
    b, n, c = latents.size()
    return latents.view([b, rows, columns, c // 4, 2, 2]).permute([0, 3, 1, 4, 2, 5]).reshape([b, c // 4, rows * 2, columns * 2])

  # One Euler step, in 32 bits as in diffusers' scheduler.
  def step(self, latents: Tensor, velocity: Tensor, sigma: float, sigma_next: float) -> Tensor:
    return (latents.to(6) + (sigma_next - sigma) * velocity.to(6)).to(velocity.dtype)

  # The step of stochastic_sampling: predicts the image, then adds noise of the next sigma.
  def stochastic_step(self, latents: Tensor, velocity: Tensor, sigma: float, sigma_next: float, noise: Tensor) -> Tensor:
    image = latents.to(6) - sigma * velocity.to(6)
    return ((1. - sigma_next) * image + sigma_next * noise.to(6)).to(velocity.dtype)

  # Classifier-free guidance: away from the negative prompt; scale [batch].
  def guide(self, negative: Tensor, positive: Tensor, scale: Tensor) -> Tensor:
    weight = scale.to(positive.dtype).view([-1] + [1] * (positive.dim() - 1))
    return negative + weight * (positive - negative)

  # Concatenates the prompts [batch, tokens, width] of two batches; the shorter ones are padded with zeros.
  def join(self, x: Tensor, y: Tensor) -> Tensor:
    tokens = max(x.size(1), y.size(1))
    filled = [torch.constant_pad_nd(x, [0, 0, 0, tokens - x.size(1)]), torch.constant_pad_nd(y, [0, 0, 0, tokens - y.size(1)])]
    return torch.cat(filled, 0)

  def subtract(self, positive: Tensor, negative: Tensor) -> Tensor:
    return positive - negative

  # [batch, 3, height, width] in [0, 1] -> [batch, height, width, 3] in 0..255, halves to even.
  def quantize(self, image: Tensor) -> Tensor:
    return torch.round(image * 255).to(0).permute([0, 2, 3, 1]).contiguous().to(torch.device("cpu"))
