package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.IValue;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Named tensors as the networks take them: {@code Dict[str, Tensor]}, or a stack of blocks as
 * {@code List[Dict[str, Tensor]]}. Views taken from one dictionary share its tensors.
 *
 * <p>Weights are on the device until they are closed, or, {@linkplain #inTurn in turn}, while they
 * or others of their group are used.
 */
public final class Weights extends EngineValue {

  private final Supplier<IValue> making;
  private final DeviceTurns turns;
  private final String group;
  private IValue held;

  private Weights(DeviceTurns turns, String group, Supplier<IValue> making) {
    this.turns = turns;
    this.group = group;
    this.making = making;
  }

  private static Weights staying(IValue value) {
    Weights weights = new Weights(null, null, null);
    weights.held = value;
    return weights;
  }

  /** A dictionary of these tensors, which may be closed afterwards: the dictionary keeps them. */
  public static Weights of(Map<String, Tensor> tensors) {
    Map<String, IValue> values = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> values.put(name, tensor.value()));
    return staying(IValue.stringIValueMapFrom(values));
  }

  /**
   * A dictionary that comes to the device when it or a view of it is used, and leaves when the turn
   * is another group's.
   *
   * @param group of networks that are on the device together
   * @param loading makes the dictionary, each time anew
   */
  public static Weights inTurn(DeviceTurns turns, String group, Supplier<Weights> loading) {
    return new Weights(turns, group, () -> loading.get().held);
  }

  /** This dictionary with more tensors, which may be closed afterwards; this one stays as it is. */
  public Weights with(Map<String, Tensor> more) {
    try (Weights added = of(more)) {
      return staying(script().run("joined", this, added));
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
    return turns == null ? staying(viewing.get()) : new Weights(turns, group, viewing);
  }

  @Override
  IValue value() {
    if (turns == null) {
      return held;
    }
    synchronized (turns) {
      turns.take(group);
      if (held == null) {
        held = making.get();
        turns.arrived(this);
      }
      return held;
    }
  }

  /** Frees what is held; weights in turn come again when they are used again. */
  void leave() {
    if (held != null) {
      held.close();
      held = null;
    }
  }

  @Override
  public void close() {
    if (turns == null) {
      held.close();
    } else {
      turns.leave(this);
    }
  }

  private static ScriptModule script() {
    return ScriptModule.of("weights", "Weights");
  }
}
