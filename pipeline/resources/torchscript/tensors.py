# Operations on any tensor.

class Tensors(Module):

  def cat(self, tensors: List[Tensor]) -> Tensor:
    return torch.cat(tensors, 0)

  def select(self, tensor: Tensor, rows: List[int]) -> Tensor:
    return torch.index_select(tensor, 0, torch.tensor(rows, dtype=4, device=tensor.device))

  def to(self, tensor: Tensor, device: str, dtype: int) -> Tensor:
    return tensor.to(torch.device(device), dtype)
