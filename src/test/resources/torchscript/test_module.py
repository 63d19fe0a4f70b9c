# A module for tests of arguments and errors.
import test_shapes

class Arguments(Module):

  def twice(self, x: Tensor) -> Tensor:
    return test_shapes.twice(x)

  def mixed(self, count: int, factor: float, flag: bool, text: str, shape: List[int], parts: List[Tensor]) -> Tensor:
    x = torch.full(shape, factor * count)
    if flag and text == "joined":
      x = torch.cat([x, torch.cat(parts, 0)], 0)
    return x

  def typed(self, device: str, dtype: int) -> Tensor:
    return torch.ones([3], dtype=dtype, device=torch.device(device))

  def pair(self, x: Tensor) -> Tuple[Tensor, Tensor]:
    return (x, x * 2)

  def second(self, pair: Tuple[Tensor, Tensor]) -> Tensor:
    return pair[1]

  def count(self, blocks: List[Dict[str, Tensor]]) -> Tensor:
    sizes = annotate(List[int], [])
    for block in blocks:
      sizes.append(len(block))
    return torch.tensor(sizes, dtype=4)

  def entry(self, w: Dict[str, Tensor], name: str) -> Tensor:
    return w[name]

  def fails(self, x: Tensor) -> Tensor:
    y = x.view([7])
    return y

  def literal(self) -> str:
    # the text test_shapes.twice is not called here
    return "test_shapes.twice(x) \" test_shapes.once" + 'test_shapes.once'
