package io.lightmill.pipeline.text;

import java.util.List;

/** The activation functions that the networks support, by transformers' names. */
public final class Activations {

  public static final List<String> NAMES =
      List.of("gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu");

  private Activations() {}
}
