import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.checkpoint.WeightFiles;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Runs one forward pass of FLUX's network per line on standard input and prints its seconds; for
 * the last line, {@code check}, prints the sum of the result's magnitudes.
 */
class FluxForward {

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    int doubles = Integer.parseInt(args[1]);
    int singles = Integer.parseInt(args[2]);
    int heads = Integer.parseInt(args[3]);
    int side = Integer.parseInt(args[4]);
    WeightLoader loader = new WeightLoader(Device.CPU, DType.F32);
    ScriptModule network = ScriptModule.of("flux", "FluxTransformer2DModel");
    SafetensorsFile inputs = SafetensorsFile.open(directory.resolve("inputs.safetensors"));
    WeightFiles files = WeightFiles.in(directory.resolve("transformer"), Optional.empty());
    WeightLayout layout = new WeightLayout();
    for (SafetensorsFile file : files.files()) {
      file.tensors()
          .forEach(
              (name, e) -> layout.tensor(name, e.shape().stream().mapToLong(n -> n).toArray()));
    }
    try (Weights weights = loader.load(files, layout);
        Weights doubleBlocks = weights.stack("transformer_blocks", doubles);
        Weights singleBlocks = weights.stack("single_transformer_blocks", singles);
        Tensor latents = loader.read(inputs, inputs.tensors().get("latents"));
        Tensor context = loader.read(inputs, inputs.tensors().get("context"));
        Tensor pooled = loader.read(inputs, inputs.tensors().get("pooled"));
        Tensor guidance = Tensor.of(new float[] {1}, 1);
        Tensor timesteps = Tensor.of(new float[] {500}, 1);
        Tensor text = network.tensor("text_tokens", weights, context);
        Tensor conditions =
            network.tensor(
                "conditions", weights, doubleBlocks, singleBlocks, timesteps, pooled, guidance);
        Tensor rope =
            network.tensor(
                "rope", context.shape()[1], side, side, new long[] {16, 24, 24}, Device.CPU);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        long start = System.nanoTime();
        try (Tensor out =
            network.tensor(
                "forward",
                weights,
                doubleBlocks,
                singleBlocks,
                latents,
                text,
                conditions,
                0,
                rope,
                heads)) {
          double seconds = (System.nanoTime() - start) / 1e9;
          if (line.equals("check")) {
            double sum = 0;
            for (float value : out.toFloats()) {
              sum += Math.abs(value);
            }
            System.out.println(sum);
          } else {
            System.out.println(seconds);
          }
        }
      }
    }
  }
}
