package io.lightmill.pipeline.verify;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * Passes on the tensors of texts once per prompt, as diffusers computes them. The pipeline computes
 * them once per image, and the images of a prompt are adjacent.
 *
 * @param imagesPerPrompt images of each prompt
 * @param probe receives the tensors
 */
record PromptsProbe(int imagesPerPrompt, TensorProbe probe) implements TensorProbe {

  private static final Pattern TEXTS = Pattern.compile("((?:tok|te)\\.\\w+\\.)(\\d+)(\\..+)");

  @Override
  public void record(String name, Tensor tensor) {
    Matcher texts = TEXTS.matcher(name);
    if (imagesPerPrompt == 1 || !texts.matches()) {
      probe.record(name, tensor);
    } else if (tensor.shape()[0] == 1) {
      oneText(texts, tensor);
    } else {
      long prompts = tensor.shape()[0] / imagesPerPrompt;
      long[] rows = LongStream.range(0, prompts).map(row -> row * imagesPerPrompt).toArray();
      try (Tensor copy = tensor.to(Device.CPU, DType.F32);
          Tensor first = copy.select(rows)) {
        probe.record(name, first);
      }
    }
  }

  /** The ids of a tokenizer that is called once per text. */
  private void oneText(Matcher texts, Tensor tensor) {
    int call = Integer.parseInt(texts.group(2));
    if (call % imagesPerPrompt == 0) {
      probe.record(texts.group(1) + call / imagesPerPrompt + texts.group(3), tensor);
    }
  }
}
