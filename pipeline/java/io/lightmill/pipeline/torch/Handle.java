package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.IValue;

/** A result that only the networks understand, such as a random generator. */
public final class Handle extends EngineValue {

  private final IValue value;

  Handle(IValue value) {
    this.value = value;
  }

  @Override
  IValue value() {
    return value;
  }

  @Override
  public void close() {
    value.close();
  }
}
