# Matrix products and convolutions of oneDNN, with weights in the layouts of its kernels. A packed weight has the type
# and the sizes of the plain one.

# Packs a weight [outputs, inputs] for products with about this number of rows.
def pack_linear(weight: Tensor, rows: int) -> Tensor:
  return ops.mkldnn._reorder_linear_weight(weight, rows)

# A linear layer and its activation in one pass: "none", or "gelu" in the given approximation.
def linear(x: Tensor, packed: Tensor, bias: Optional[Tensor], activation: str, approximate: str) -> Tensor:
  return ops.mkldnn._linear_pointwise(x, packed, bias, activation, annotate(List[Optional[number]], []), approximate)

# Packs a weight [outputs, inputs, height, width] for convolutions with padding to the same size.
def pack_conv(weight: Tensor, height: int, width: int) -> Tensor:
  padding = [weight.size(2) // 2, weight.size(3) // 2]
  return ops.mkldnn._reorder_convolution_weight(weight, padding, [1, 1], [1, 1], 1, [1, weight.size(1), height, width])

# A convolution with padding to the same size.
def conv(x: Tensor, packed: Tensor, bias: Optional[Tensor]) -> Tensor:
  padding = [packed.size(2) // 2, packed.size(3) // 2]
  return ops.mkldnn._convolution_pointwise(x, packed, bias, padding, [1, 1], [1, 1], 1, "none", annotate(List[Optional[number]], []), None)
