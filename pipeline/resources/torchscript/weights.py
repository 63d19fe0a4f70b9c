# Weights on their way from safetensors files to the networks.

class Weights(Module):

  # Maps a tensor's place in the file; copies only to another device or type, and then lets go of the mapping,
  # so that a load never holds more than one tensor twice. The offset counts elements from the file's start.
  def read(self, path: str, dtype: int, offset: int, count: int, shape: List[int], device: str, to_dtype: int) -> Tensor:
    file = torch.from_file(path, False, offset + count, dtype=dtype)
    return file.narrow(0, offset, count).view(shape).to(torch.device(device), to_dtype)

  # Tensors whose names begin with the prefix, without it.
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

  # A dictionary of the tensors of two.
  def joined(self, w: Dict[str, Tensor], more: Dict[str, Tensor]) -> Dict[str, Tensor]:
    both = annotate(Dict[str, Tensor], {})
    for name in w.keys():
      both[name] = w[name]
    for name in more.keys():
      both[name] = more[name]
    return both
