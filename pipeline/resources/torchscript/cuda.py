# What libtorch knows of CUDA. Builds without CUDA have none of its operators, so they cannot compile this text.

class Cuda(Module):

  def device_count(self) -> int:
    return ops.cuda.device_count()
