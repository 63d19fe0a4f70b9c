package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.IValue;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Named tensors as the networks take them: {@code Dict[str, Tensor]}, or a stack of blocks as
 * {@code List[Dict[str, Tensor]]}. Views taken from one dictionary share its tensors.
 */
public final class Weights extends EngineValue {

  Weights(IValue value) {
    super(value);
  }

  /** A dictionary of these tensors, which may be closed afterwards: the dictionary keeps them. */
  public static Weights of(Map<String, Tensor> tensors) {
    Map<String, IValue> values = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> values.put(name, tensor.value()));
    return new Weights(IValue.stringIValueMapFrom(values));
  }

  /** The tensors whose names begin with the prefix, without it. */
  public Weights below(String prefix) {
    return new Weights(script().run("below", this, prefix));
  }

  /** The dictionaries of {@code prefix.0} to {@code prefix.(count-1)}. */
  public Weights stack(String prefix, int count) {
    return new Weights(script().run("stack", this, prefix, count));
  }

  private static ScriptModule script() {
    return ScriptModule.of("weights", "Weights");
  }
}
