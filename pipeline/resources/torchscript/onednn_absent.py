# The functions of onednn.py for builds of libtorch without oneDNN: weights are not packed.

def pack_linear(weight: Tensor, rows: int) -> Tensor:
  return weight

def linear(x: Tensor, packed: Tensor, bias: Optional[Tensor], activation: str, approximate: str) -> Tensor:
  y = torch.linear(x, packed, bias)
  if activation == "gelu":
    y = torch.gelu(y, approximate=approximate)
  return y

def pack_conv(weight: Tensor, height: int, width: int) -> Tensor:
  return weight

def conv(x: Tensor, packed: Tensor, bias: Optional[Tensor]) -> Tensor:
  return torch.conv2d(x, packed, bias, [1, 1], [packed.size(2) // 2, packed.size(3) // 2])
