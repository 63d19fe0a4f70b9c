# Loads weights from safetensors files and prepares them for the networks.
import onednn

class Weights(Module):

  # Maps a tensor of the file into memory. Another device or type needs a copy, after which the mapping is released, so
  # that at most one tensor is in memory twice. The offset counts elements from the start of the file.
  def read(self, path: str, dtype: int, offset: int, count: int, shape: List[int], device: str, to_dtype: int) -> Tensor:
    file = torch.from_file(path, False, offset + count, dtype=dtype)
    return file.narrow(0, offset, count).view(shape).to(torch.device(device), to_dtype)

  # The weight of a linear layer, packed for products with about this number of rows.
  def packed_linear(self, weight: Tensor, rows: int) -> Tensor:
    return onednn.pack_linear(weight, rows)

  # The kernel of a convolution, packed for images of about this side.
  def packed_conv(self, kernel: Tensor, side: int) -> Tensor:
    return onednn.pack_conv(kernel, side, side)

  # The kernel [outputs, inputs, 3, 3] of a convolution after an upsampling by the nearest pixels, as the kernel [inputs,
  # outputs, 4, 4] of a transposed convolution with stride 2, channels last as its inputs.
  def upsampling(self, kernel: Tensor) -> Tensor:
    wide = torch.constant_pad_nd(torch.flip(kernel, [2, 3]).transpose(0, 1), [1, 1, 1, 1], 0.)
    rows = wide[:, :, 1:] + wide[:, :, :-1]
    return (rows[..., 1:] + rows[..., :-1]).contiguous(memory_format=2)

  # The weights [width] of the norms of queries and keys, repeated for each head: [2, heads, width].
  def head_norms(self, norm_q: Tensor, norm_k: Tensor, heads: int) -> Tensor:
    return torch.stack([norm_q, norm_k], 0).unsqueeze(1).repeat([1, heads, 1])

  # The tensors whose names have the prefix, under names without it.
  def below(self, w: Dict[str, Tensor], prefix: str) -> Dict[str, Tensor]:
    found = annotate(Dict[str, Tensor], {})
    for name in w.keys():
      if name.startswith(prefix):
        found[name[len(prefix):]] = w[name]
    return found

  # The dictionaries "prefix.0", "prefix.1", ... of a stack of blocks.
  def stack(self, w: Dict[str, Tensor], prefix: str, count: int) -> List[Dict[str, Tensor]]:
    blocks = annotate(List[Dict[str, Tensor]], [])
    for i in range(count):
      blocks.append(annotate(Dict[str, Tensor], {}))
    for name in w.keys():
      if name.startswith(prefix + "."):
        rest = name[len(prefix) + 1:]
        dot = rest.find(".")
        if dot > 0:
          blocks[int(rest[:dot])][rest[dot + 1:]] = w[name]
    return blocks

  # Merges two dictionaries.
  def joined(self, w: Dict[str, Tensor], more: Dict[str, Tensor]) -> Dict[str, Tensor]:
    both = annotate(Dict[str, Tensor], {})
    for name in w.keys():
      both[name] = w[name]
    for name in more.keys():
      both[name] = more[name]
    return both
