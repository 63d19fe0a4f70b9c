package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.IValue;

/** A result that only the networks understand, such as a tuple of rotary tables. */
public final class Opaque extends EngineValue {

  Opaque(IValue value) {
    super(value);
  }
}
