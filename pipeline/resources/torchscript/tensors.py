# Operations on any tensor.

class Tensors(Module):

  # Of 32-bit numbers.
  def of_floats(self, values: List[float], shape: List[int]) -> Tensor:
    return torch.tensor(values, dtype=6).view(shape)

  # Of 64-bit integers.
  def of_longs(self, values: List[int], shape: List[int]) -> Tensor:
    return torch.tensor(values, dtype=4).view(shape)

  def cat(self, tensors: List[Tensor]) -> Tensor:
    return torch.cat(tensors, 0)

  def select(self, tensor: Tensor, rows: List[int]) -> Tensor:
    return torch.index_select(tensor, 0, torch.tensor(rows, dtype=4, device=tensor.device))

  def to(self, tensor: Tensor, device: str, dtype: int) -> Tensor:
    return tensor.to(torch.device(device), dtype)

  # 1 for each row of the first dimension whose numbers are all finite, else 0.
  def finite_rows(self, tensor: Tensor) -> Tensor:
    return torch.all(torch.isfinite(tensor).reshape([tensor.size(0), -1]), 1).to(0)

  def on(self, tensor: Tensor, device: str) -> Tensor:
    return tensor.to(torch.device(device))

  # Returns a new handle, which the caller closes.
  def same(self, tensor: Tensor) -> Tensor:
    return tensor

  def byte_size(self, tensor: Tensor) -> Tensor:
    return torch.tensor([tensor.numel() * tensor.element_size()], dtype=4)

  # Concatenates rows [1, length, ...] of several lengths, padded with zeros.
  def cat_padded(self, tensors: List[Tensor]) -> Tensor:
    longest = 0
    for tensor in tensors:
      longest = max(longest, tensor.size(1))
    padded = annotate(List[Tensor], [])
    for tensor in tensors:
      padded.append(torch.constant_pad_nd(tensor, [0, 0] * (tensor.dim() - 2) + [0, longest - tensor.size(1)]))
    return torch.cat(padded, 0)
