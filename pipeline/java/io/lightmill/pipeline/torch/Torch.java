package io.lightmill.pipeline.torch;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;

/** The engine of this JVM: libtorch behind DJL, started on first use. */
public final class Torch {

  private Torch() {}

  static NDManager manager() {
    return Engine.getEngine("PyTorch").newBaseManager();
  }
}
