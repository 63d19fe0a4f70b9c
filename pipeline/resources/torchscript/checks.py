# Checks of a decoded picture.

class Checks(Module):

  # [height, width, 3] in 0..255 -> [1]: the widest range of values that a channel has.
  def range(self, image: Tensor) -> Tensor:
    channels = image.flatten(0, 1).t()
    return torch.amax(torch.amax(channels, [1]) - torch.amin(channels, [1]), [0], True)
