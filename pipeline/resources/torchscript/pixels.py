# Preprocessing of images for classifiers. Resizing equals Pillow's bit for bit: integer weights of 22 bits, and 8 bits per
# channel after each of the two passes. All sums are whole numbers below 2^53, so 64-bit floats hold them exactly.

def sinc(x: Tensor) -> Tensor:
  angle = x * 3.141592653589793
  return torch.where(x == 0, torch.ones_like(x), torch.sin(angle) / angle)

# A resampling filter at distances from its centre, in pixels.
def filter(x: Tensor, name: str) -> Tensor:
  a = torch.abs(x)
  if name == "bicubic":
    near = (1.5 * a - 2.5) * a * a + 1
    far = (((a - 5) * a + 8) * a - 4) * -0.5
    y = torch.where(a < 1, near, torch.where(a < 2, far, torch.zeros_like(a)))
  elif name == "lanczos":
    y = torch.where(a < 3, pixels.sinc(x) * pixels.sinc(x / 3), torch.zeros_like(a))
  else:
    y = torch.clamp(1 - a, 0)
  return y

def support(name: str) -> float:
  if name == "bicubic":
    y = 2.
  elif name == "lanczos":
    y = 3.
  else:
    y = 1.
  return y

# The weight of each input pixel for each output pixel [output, input], in units of 2^-22.
def weights(old: int, new: int, name: str, device: Device) -> Tensor:
  scale = old / new
  stretch = max(scale, 1.)
  reach = pixels.support(name) * stretch
  center = ((torch.arange(new, dtype=7, device=device) + 0.5) * scale).unsqueeze(1)
  at = torch.arange(old, dtype=7, device=device).unsqueeze(0)
  w = pixels.filter((at - center + 0.5) / stretch, name)
  outside = torch.logical_or(at < torch.trunc(center - reach + 0.5), at >= torch.trunc(center + reach + 0.5))
  w = torch.masked_fill(w, outside, 0.)
  w = w / torch.sum(w, [1], True)
  return torch.sign(w) * torch.floor(torch.abs(w) * 4194304. + 0.5)

def rounded(x: Tensor) -> Tensor:
  return torch.clamp(torch.floor((x + 2097152.) / 4194304.), 0, 255)

class Pixels(Module):

  # [height, width, 3] in 0..255 -> normalised [1, 3, height, width]: resized to size, cropped to crop = (top, left,
  # height, width), multiplied by the factor, minus the mean, divided by the deviation.
  def prepare(
      self,
      image: Tensor,
      size: List[int],
      name: str,
      crop: List[int],
      factor: float,
      mean: Tensor,
      deviation: Tensor) -> Tensor:
    x = image.permute([2, 0, 1]).to(7)
    if x.size(2) != size[1]:
      x = pixels.rounded(torch.matmul(x, pixels.weights(x.size(2), size[1], name, x.device).t()))
    if x.size(1) != size[0]:
      x = pixels.rounded(torch.matmul(pixels.weights(x.size(1), size[0], name, x.device), x))
    x = x[:, crop[0]:crop[0] + crop[2], crop[1]:crop[1] + crop[3]]
    x = (x * factor).to(6)
    return ((x - mean.view([3, 1, 1])) / deviation.view([3, 1, 1])).unsqueeze(0)
