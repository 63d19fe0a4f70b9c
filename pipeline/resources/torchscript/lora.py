# Low-rank adapters (Hu et al. 2021): a layer's output grows by scale * up(down(x)).

class Lora(Module):

  # The scaled rows of an up matrix for a range of the outputs of a layer; zeros elsewhere.
  def up(self, up: Tensor, first: int, count: int, place: int, outputs: int, scale: float) -> Tensor:
    rows = torch.zeros([outputs, up.size(1)], dtype=6)
    rows[place:place + count] = up[first:first + count] * scale
    return rows

  # Concatenates several adapters of a layer into one: down matrices along rows, up matrices along columns.
  def cat(self, parts: List[Tensor], dim: int, device: str, dtype: int) -> Tensor:
    return torch.cat(parts, dim).to(torch.device(device), dtype)
