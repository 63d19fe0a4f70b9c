# Operations on any tensor.

class Tensors(Module):

  def cat(self, tensors: List[Tensor]) -> Tensor:
    return torch.cat(tensors, 0)

  def select(self, tensor: Tensor, rows: List[int]) -> Tensor:
    return torch.index_select(tensor, 0, torch.tensor(rows, dtype=4, device=tensor.device))

  def to(self, tensor: Tensor, device: str, dtype: int) -> Tensor:
    return tensor.to(torch.device(device), dtype)

  # 1 for each row of the first dimension whose numbers are all finite, else 0.
  def finite_rows(self, tensor: Tensor) -> Tensor:
    return torch.all(torch.isfinite(tensor).reshape([tensor.size(0), -1]), 1).to(0)
