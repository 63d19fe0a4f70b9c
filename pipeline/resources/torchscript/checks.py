# Checks of a decoded picture.

class Checks(Module):

  # [height, width, 3] in 0..255 -> [1]: the widest range of values that a channel has. Rows are compared first, since
  # the engine is fast along contiguous memory only.
  def range(self, image: Tensor) -> Tensor:
    rows = image.flatten(1)
    greatest = torch.amax(torch.amax(rows, [0]).view([-1, 3]), [0])
    least = torch.amin(torch.amin(rows, [0]).view([-1, 3]), [0])
    return torch.amax(greatest - least, [0], True)
