# Low-rank adapters (Hu et al. 2021): a layer's output grows by scale * up(down(x)).

class Lora(Module):

  # The rows of an up matrix that belong to a layer, scaled, at their place among the layer's outputs.
  def up(self, up: Tensor, first: int, count: int, place: int, outputs: int, scale: float) -> Tensor:
    rows = torch.zeros([outputs, up.size(1)], dtype=6)
    rows[place:place + count] = up[first:first + count] * scale
    return rows

  # Several adapters of a layer as one of their ranks together: downs along their rows, ups along their columns.
  def cat(self, parts: List[Tensor], dim: int, device: str, dtype: int) -> Tensor:
    return torch.cat(parts, dim).to(torch.device(device), dtype)
