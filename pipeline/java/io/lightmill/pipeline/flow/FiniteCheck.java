package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.vae.VaeConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the images of a batch whose numbers are not finite, and the network that computed the first
 * such number. The numbers are checked on the device; one flag per image, and per step, is read. To
 * be closed.
 */
final class FiniteCheck implements AutoCloseable {

  private static final Pattern LATENTS = Pattern.compile("latents\\.\\d+");
  private static final Pattern TEXT_ENCODER = Pattern.compile("te\\.(\\w+)\\..+");

  private final DType dtype;
  private final List<Optional<LightmillException>> failures = new ArrayList<>();
  private final List<Tensor> steps = new ArrayList<>();
  private final List<Tensor> decoded = new ArrayList<>();

  /**
   * @param dtype that the networks compute in
   */
  FiniteCheck(int images, DType dtype) {
    this.dtype = dtype;
    for (int i = 0; i < images; i++) {
      failures.add(Optional.empty());
    }
  }

  /** The failure of each image; empty if it is finite. */
  List<Optional<LightmillException>> failures() {
    return List.copyOf(failures);
  }

  /** Whether no image is left to go on with. */
  boolean allFailed() {
    return failures.stream().allMatch(Optional::isPresent);
  }

  /**
   * Checks embeddings.
   *
   * @param encoder names the text encoder to blame for an image
   */
  void embeddings(PromptEmbeddings embeddings, IntFunction<String> encoder) {
    List<Tensor> flags = new ArrayList<>();
    try {
      flags.add(embeddings.context().finiteRows());
      embeddings.pooled().ifPresent(pooled -> flags.add(pooled.finiteRows()));
      check(flags, (image, part) -> encoder.apply(image));
    } finally {
      flags.forEach(Tensor::close);
    }
  }

  /** Sees the latents of each step and what the autoencoder computes, beside another probe. */
  TensorProbe watching(TensorProbe other) {
    return (name, tensor) -> {
      other.record(name, tensor);
      if (LATENTS.matcher(name).matches()) {
        steps.add(tensor.finiteRows());
      } else if (name.equals(VaeConfig.DECODED)) {
        decoded.add(tensor.finiteRows());
      }
    };
  }

  /** Checks the latents that the probe saw. */
  void latents() {
    check(steps, (image, step) -> "transformer at step %d of %d".formatted(step + 1, steps.size()));
  }

  /** Checks the decoded images that the probe saw. */
  void images() {
    check(decoded, (image, part) -> "vae");
  }

  /** The text encoder that computes a number that is not finite first, if one does. */
  static final class TextEncoders implements TensorProbe {

    private String first = "text_encoder";
    private boolean found;

    @Override
    public void record(String name, Tensor tensor) {
      Matcher encoder = TEXT_ENCODER.matcher(name);
      if (!found && encoder.matches()) {
        try (Tensor flags = tensor.finiteRows()) {
          if (anyZero(bytes(flags))) {
            first = encoder.group(1);
            found = true;
          }
        }
      }
    }

    String first() {
      return first;
    }
  }

  @FunctionalInterface
  private interface Network {
    String name(int image, int part);
  }

  /**
   * @param flags one tensor per part of the computation in order, 1 for each finite image
   */
  private void check(List<Tensor> flags, Network network) {
    byte[] finite;
    try (Tensor all = Tensor.cat(flags)) {
      finite = bytes(all);
    }
    int images = failures.size();
    for (int i = 0; i < finite.length; i++) {
      int image = i % images;
      if (finite[i] == 0 && failures.get(image).isEmpty()) {
        failures.set(image, Optional.of(failure(network.name(image, i / images))));
      }
    }
  }

  private LightmillException failure(String network) {
    return new LightmillException(
        ErrorCode.IMAGE_NOT_FINITE,
        "the image has values that are NaN or infinite, and %s computed the first of them, in %s; use another dtype (float16 overflows in some networks), or download the checkpoint again if its weights are damaged"
            .formatted(network, dtype.name().toLowerCase(Locale.ROOT)));
  }

  private static byte[] bytes(Tensor flags) {
    try (Tensor onCpu = flags.to(Device.CPU, DType.U8)) {
      return onCpu.toBytes();
    }
  }

  private static boolean anyZero(byte[] flags) {
    for (byte flag : flags) {
      if (flag == 0) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    steps.forEach(Tensor::close);
    decoded.forEach(Tensor::close);
  }
}
