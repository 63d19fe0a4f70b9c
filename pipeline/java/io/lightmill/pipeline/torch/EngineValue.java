package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.IValue;

/**
 * A handle on something that the engine holds. Java passes handles from one network to the next.
 *
 * <p>Nothing finalizes a handle: whoever gets one closes it.
 */
public abstract sealed class EngineValue implements AutoCloseable permits Tensor, Weights, Handle {

  abstract IValue value();

  @Override
  public abstract void close();
}
