package io.lightmill.pipeline.torch;

import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A network's text, compiled: methods that compute on tensors and know no weights of their own.
 * Compiled once per JVM and shared by all threads.
 */
public final class ScriptModule {

  private static final Map<String, ScriptModule> COMPILED = new ConcurrentHashMap<>();

  private final PtSymbolBlock block;

  private ScriptModule(PtSymbolBlock block) {
    this.block = block;
  }

  /**
   * The module {@code className} of the text {@code /torchscript/<text>.py}.
   *
   * @throws IllegalArgumentException if there is no such text
   */
  public static ScriptModule of(String text, String className) {
    return COMPILED.computeIfAbsent(
        text + "." + className, key -> compile(TorchScriptArchive.of(text, className)));
  }

  private static ScriptModule compile(byte[] archive) {
    NDManager manager = Torch.manager(); // lives as long as the module: as long as the JVM
    try {
      return new ScriptModule(
          JniUtils.loadModule(
              (PtNDManager) manager, new ByteArrayInputStream(archive), false, false));
    } catch (IOException e) {
      throw new UncheckedIOException("reading from memory failed", e);
    }
  }

  /** Calls a method that returns a tensor. Arguments stay the caller's, to use again or close. */
  public Tensor tensor(String method, Object... arguments) {
    return new Tensor(run(method, arguments));
  }

  /** Calls a method that returns something for other methods alone. */
  public Handle handle(String method, Object... arguments) {
    return new Handle(run(method, arguments));
  }

  IValue run(String method, Object... arguments) {
    EngineThread.prepare();
    List<IValue> temporary = new ArrayList<>();
    IValue[] values = new IValue[arguments.length];
    try {
      for (int i = 0; i < arguments.length; i++) {
        if (arguments[i] instanceof EngineValue held) {
          values[i] = held.value();
        } else {
          values[i] = convert(arguments[i]);
          temporary.add(values[i]);
        }
      }
      return IValueUtils.runMethod(block, method, values);
    } finally {
      temporary.forEach(IValue::close);
    }
  }

  private static IValue convert(Object argument) {
    if (argument instanceof Integer || argument instanceof Long) {
      return IValue.from(((Number) argument).longValue());
    } else if (argument instanceof Double || argument instanceof Float) {
      return IValue.from(((Number) argument).doubleValue());
    } else if (argument instanceof Boolean flag) {
      return IValue.from(flag);
    } else if (argument instanceof String text) {
      return IValue.from(text);
    } else if (argument instanceof DType dtype) {
      return IValue.from(dtype.scalarType());
    } else if (argument instanceof Device device) {
      return IValue.from(device.name());
    } else if (argument instanceof long[] numbers) {
      return IValue.listFrom(numbers);
    } else if (argument instanceof double[] numbers) {
      return IValue.listFrom(numbers);
    } else if (argument instanceof Tensor[] tensors) {
      IValue[] values = new IValue[tensors.length];
      for (int i = 0; i < tensors.length; i++) {
        values[i] = tensors[i].value();
      }
      return IValue.listFrom(values);
    }
    throw new IllegalArgumentException("no TorchScript argument: " + argument);
  }
}
