package io.lightmill.pipeline.verify;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * Passes on what a pipeline makes of texts once a prompt, as diffusers does. The pipeline does it
 * once a picture, and the pictures of a prompt stand side by side.
 *
 * @param imagesPerPrompt pictures of each prompt
 * @param probe that is told of prompts
 */
record PromptsProbe(int imagesPerPrompt, TensorProbe probe) implements TensorProbe {

  private static final Flow ON_CPU = new Flow(Device.CPU, DType.F32);

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
      try (Tensor copy = ON_CPU.copy(tensor);
          Tensor first = ON_CPU.select(copy, rows)) {
        probe.record(name, first);
      }
    }
  }

  /** A tokenizer that is called text by text. */
  private void oneText(Matcher texts, Tensor tensor) {
    int call = Integer.parseInt(texts.group(2));
    if (call % imagesPerPrompt == 0) {
      probe.record(texts.group(1) + call / imagesPerPrompt + texts.group(3), tensor);
    }
  }
}
