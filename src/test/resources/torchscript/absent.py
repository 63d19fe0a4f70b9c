# The substitutes for oneDNN, for a test.
import onednn_absent

class Absent(Module):

  def linear(self, x: Tensor, weight: Tensor, activation: str) -> Tensor:
    return onednn_absent.linear(x, onednn_absent.pack_linear(weight, 1), None, activation, "tanh")

  def conv(self, x: Tensor, weight: Tensor) -> Tensor:
    return onednn_absent.conv(x, onednn_absent.pack_conv(weight, 1, 1), None)
