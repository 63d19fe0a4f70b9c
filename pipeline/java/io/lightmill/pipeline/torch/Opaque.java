package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.IValue;

/** A result that only the networks understand, such as a random generator. */
public final class Opaque extends EngineValue {

  Opaque(IValue value) {
    super(value);
  }
}
