package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.IValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Named tensors as the networks take them: {@code Dict[str, Tensor]}, or a stack of blocks as
 * {@code List[Dict[str, Tensor]]}. Views taken from one dictionary share its tensors.
 *
 * <p>Weights stay on the device until they are closed, or, {@linkplain #offloaded offloaded}, until
 * those of another group are used.
 */
public final class Weights extends EngineValue {

  private final Supplier<IValue> making;
  private final ModelOffload offload;
  private final String group;
  private IValue held;

  private Weights(ModelOffload offload, String group, Supplier<IValue> making) {
    this.offload = offload;
    this.group = group;
    this.making = making;
  }

  private static Weights resident(IValue value) {
    Weights weights = new Weights(null, null, null);
    weights.held = value;
    return weights;
  }

  /** A dictionary of these tensors, which may be closed afterwards: the dictionary keeps them. */
  public static Weights of(Map<String, Tensor> tensors) {
    Map<String, IValue> values = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> values.put(name, tensor.value()));
    return resident(IValue.stringIValueMapFrom(values));
  }

  /**
   * A dictionary that is loaded when it or a view of it is used, and freed when weights of another
   * group are used.
   *
   * @param group of networks that are on the device together
   * @param bytes that loading reads from files
   * @param loading loads the dictionary; called each time
   */
  public static Weights offloaded(
      ModelOffload offload, String group, long bytes, Supplier<Weights> loading) {
    return new Weights(offload, group, () -> offload.counted(bytes, loading).held);
  }

  /** This dictionary with more tensors, which may be closed afterwards; this one stays as it is. */
  public Weights with(Map<String, Tensor> more) {
    try (Weights added = of(more)) {
      return resident(script().run("joined", this, added));
    }
  }

  /** The tensors whose names begin with the prefix, without it. */
  public Weights below(String prefix) {
    return view(() -> script().run("below", this, prefix));
  }

  /** The dictionaries of {@code prefix.0} to {@code prefix.(count-1)}. */
  public Weights stack(String prefix, int count) {
    return view(() -> script().run("stack", this, prefix, count));
  }

  private Weights view(Supplier<IValue> viewing) {
    return offload == null ? resident(viewing.get()) : new Weights(offload, group, viewing);
  }

  @Override
  IValue value() {
    if (offload == null) {
      return held;
    }
    synchronized (offload) {
      offload.select(group);
      if (held == null) {
        held = making.get();
        offload.added(this);
      }
      return held;
    }
  }

  /** Frees the value; offloaded weights are loaded again on their next use. */
  void free() {
    if (held != null) {
      held.close();
      held = null;
    }
  }

  @Override
  public void close() {
    if (offload == null) {
      held.close();
    } else {
      offload.remove(this);
    }
  }

  private static ScriptModule script() {
    return ScriptModule.of("weights", "Weights");
  }
}
