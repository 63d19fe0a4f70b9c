# Convolutions of random numbers, for a test.
import nn

class Convolution(Module):

  # The largest difference between a convolution of a type and in 64 bits, as a share of the largest result; what lies
  # in memory beside it is huge.
  def difference(self, device: str, inputs: int, outputs: int, kernel: int, dtype: int) -> Tensor:
    generator = torch.Generator(device=torch.device(device)).manual_seed(5)
    x = torch.randn([1, inputs, 48, 64], generator=generator, dtype=6).to(dtype)
    w = {"conv.weight": torch.randn([outputs, inputs, kernel, kernel], generator=generator, dtype=6).to(dtype)}
    w["conv.bias"] = torch.randn([outputs], generator=generator, dtype=6).to(dtype)
    for i in range(4):
      beside = torch.full([1000 * (i + 1)], 1e30, dtype=6).to(dtype)
    exact = torch.conv2d(x.double(), w["conv.weight"].double(), w["conv.bias"].double(), [1, 1], [kernel // 2, kernel // 2])
    difference = torch.max(torch.abs(nn.conv(x, w, "conv") - exact)) / torch.max(torch.abs(exact))
    return difference.float().view([1])
