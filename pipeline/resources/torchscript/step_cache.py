# Step caching: at some steps, the output of the last block is the input or the output of the first block plus the change
# that the other blocks made at an earlier step. Hidden states are lists of tensors [batch, ...], image tokens first.

# The gain of an optimal denoiser of images at each frequency along an axis (SeaCache, arXiv 2602.18993):
# images have a power spectrum of 1 / frequency^2, noise has a flat one.
def gains(size: int, sigma: float, device: Device) -> Tensor:
  frequency = torch.fft_fftfreq(size, dtype=6, device=device)
  power = 1. / (frequency * frequency + 1e-16)
  signal, noise = max(1. - sigma, 1e-6), max(sigma, 1e-6)
  return signal * power / (signal * signal * power + noise * noise + 1e-16)

class StepCache(Module):

  # Tokens of a grid, filtered in 32 bits by gains whose mean is 1: [batch, rows * columns, width] -> the same shape.
  def filter(self, x: Tensor, rows: int, columns: int, sigma: float) -> Tensor:
    gain = torch.outer(step_cache.gains(rows, sigma, x.device), step_cache.gains(columns, sigma, x.device))
    half = (gain / gain.mean())[:, :columns // 2 + 1].unsqueeze(-1)
    spectrum = torch.fft_rfft2(x.to(6).unflatten(1, [rows, columns]), None, [1, 2]) * half
    return torch.fft_irfft2(spectrum, [rows, columns], [1, 2]).flatten(1, 2)

  # The mean absolute difference of each row, relative to the mean absolute value before: [batch]
  def change(self, x: Tensor, before: Tensor) -> Tensor:
    x, before = x.to(6), before.to(6)
    return torch.mean(torch.abs(x - before), [1, 2]) / torch.mean(torch.abs(before), [1, 2])

  # The change of the image tokens by the first block.
  def first_residual(self, first: List[Tensor], hidden: List[Tensor]) -> Tensor:
    return first[0] - hidden[0]

  # The change of the image tokens by several blocks.
  def residual(self, image: Tensor, hidden: List[Tensor]) -> Tensor:
    return image - hidden[0]

  def add(self, hidden: List[Tensor], residual: Tensor) -> Tensor:
    return hidden[0] + residual

  # Selects rows of hidden states.
  def select(self, hidden: List[Tensor], rows: List[int]) -> List[Tensor]:
    chosen = annotate(List[Tensor], [])
    for x in hidden:
      chosen.append(torch.index_select(x, 0, torch.tensor(rows, dtype=4, device=x.device)))
    return chosen

  # Replaces rows of a tensor.
  def replace(self, x: Tensor, rows: List[int], values: Tensor) -> Tensor:
    return torch.index_copy(x, 0, torch.tensor(rows, dtype=4, device=x.device), values)
