package io.lightmill.udfs.regenerate;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageMetadata;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.pipeline.image.XmpProperties;
import io.lightmill.pipeline.torch.Torch;
import io.lightmill.pipeline.watermark.Watermark;
import io.lightmill.udfs.DeviceChoice;
import io.lightmill.udfs.column.RequestLimits;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.Loading;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.device.PipelineLoader;
import io.lightmill.udfs.device.TaskDevice;
import io.lightmill.udfs.draw.ImageEncoding;
import io.lightmill.udfs.manifest.ReceiptFacts;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.ProvenanceOptions;
import io.lightmill.udfs.plan.ImageIdentity;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;

/**
 * Draws images again from the receipts in their files. Prompts are not checked, since the images
 * exist already. The pipeline of the last image stays loaded for the next.
 */
public final class Regeneration implements AutoCloseable {

  private final GenerationOptions options;
  private final Optional<String> prompt;
  private final Optional<String> negativePrompt;
  private final Configuration hadoop = new Configuration();
  private DiffusionPipeline pipeline;
  private String loaded;

  /**
   * @param options checkpoint (without one, each file names its own), variant, adapters, device,
   *     threads, and the key of the watermark
   * @param prompt for files that do not contain it
   * @param negativePrompt for files that do not contain it
   */
  public Regeneration(
      GenerationOptions options, Optional<String> prompt, Optional<String> negativePrompt) {
    this.options = options;
    this.prompt = prompt;
    this.negativePrompt = negativePrompt;
  }

  /**
   * Draws the image of a file again.
   *
   * @param name of the file, for messages
   * @throws LightmillException with {@code INPUT_INVALID} if the file has no receipt, or one that
   *     this version cannot draw; with {@code CONFIGURATION_INVALID} if checkpoint, adapters,
   *     watermark or prompts are not those of the image
   */
  public Regenerated draw(String name, byte[] file) {
    ImageMetadata metadata = ImageMetadata.read(name, file);
    String json =
        metadata
            .receipt()
            .orElseThrow(
                () ->
                    new LightmillException(
                        ErrorCode.INPUT_INVALID,
                        "'%s' has no receipt of Lightmill; give an image as Lightmill stored it"
                            .formatted(name)));
    StoredReceipt receipt = StoredReceipt.read(name, json);
    Map<String, String> xmp = metadata.xmp().flatMap(XmpProperties::read).orElse(Map.of());
    requireWatermark(name, receipt);
    JobCheckpoint checkpoint = checkpoint(receipt, XmpLabels.system(xmp));
    requireSame(receipt, checkpoint.model());
    ImageIdentity identity =
        new ImageIdentity(
            checkpoint.model().withChecks(receipt.checks()), receipt.file(), receipt.watermark());
    DrawingFacts facts = ReceiptFacts.read(json);
    ImageRequest shown =
        receipt.request(
            checkpoint.model().adapters(),
            new RequestLimits(
                checkpoint.limits(),
                List.copyOf(checkpoint.model().adapters().keySet()),
                Set.of()));
    PromptMetadata prompts = PromptMetadata.FULL;
    ImageRequest request = shown;
    if (!fits(identity, request, prompts, facts, receipt)) {
      request = withPrompts(shown);
      prompts = prompts(identity, request, facts, receipt);
    }
    RgbImage image = drawn(checkpoint.loader(), facts.drawn(request));
    byte[] again =
        new ImageEncoding(
                identity,
                checkpoint.limits().guidance(),
                XmpLabels.marking(
                    xmp,
                    checkpoint.model(),
                    prompts,
                    options
                        .find(ProvenanceOptions.WATERMARK)
                        .filter(key -> receipt.watermark() != null)
                        .orElse(null)))
            .encoded(request, facts, image);
    return Regenerated.compared(name, file, again);
  }

  private void requireWatermark(String name, StoredReceipt receipt) {
    String fingerprint = receipt.watermark();
    boolean known =
        options
            .find(ProvenanceOptions.WATERMARK)
            .map(key -> Watermark.fingerprint(key.value()))
            .filter(given -> given.equals(fingerprint))
            .isPresent();
    if (fingerprint != null && !known) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "'%s' has a watermark whose key has the fingerprint %s; give that key with --watermark"
              .formatted(name, fingerprint));
    }
  }

  /**
   * The checkpoint of the options, else the one that the file names. A file may come from anywhere,
   * so that what it names is never fetched.
   */
  private JobCheckpoint checkpoint(StoredReceipt receipt, Optional<String> named) {
    Loading loading =
        new Loading(
            options.find(ModelOptions.VARIANT).orElse(""),
            options.entries(ModelOptions.LORA),
            options.get(ModelOptions.OFFLOAD));
    if (options.has(ModelOptions.CHECKPOINT)) {
      return JobCheckpoint.open(
          options.get(ModelOptions.CHECKPOINT),
          loading,
          Optional.of(receipt.dtype()),
          cluster(),
          hadoop);
    }
    String location =
        named
            .filter(name -> !isRemote(name))
            .orElseThrow(() -> unnamed(receipt, named.orElse(""), "only local ones are opened"));
    try {
      return JobCheckpoint.open(location, loading, Optional.of(receipt.dtype()), cluster(), hadoop);
    } catch (LightmillException e) {
      throw unnamed(receipt, location, e.getMessage());
    }
  }

  private static boolean isRemote(String location) {
    return location.matches("(?i)(?!builtin:)[a-z][a-z0-9+.-]+:.*");
  }

  private static LightmillException unnamed(StoredReceipt receipt, String location, String why) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        "'%s' names the checkpoint '%s', which cannot be used (%s); give the checkpoint of digest %s with --checkpoint"
            .formatted(receipt.image(), location, why, receipt.modelDigest()));
  }

  private Cluster cluster() {
    DeviceChoice choice = options.get(ModelOptions.DEVICE);
    int gpus = choice == DeviceChoice.CPU ? 0 : Torch.gpus();
    if (choice == DeviceChoice.CUDA && gpus == 0) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the option device is cuda, but libtorch sees no GPU here; choose cpu");
    }
    return new Cluster(gpus > 0, 1, true, gpus);
  }

  private static void requireSame(StoredReceipt receipt, Model model) {
    require(receipt, model, "checkpoint of digest", receipt.modelDigest(), model.digest());
    require(receipt, model, "pipeline", receipt.pipelineClass(), model.pipelineClass());
    require(receipt, model, "scheduler", receipt.scheduler(), model.scheduler());
  }

  private static void require(
      StoredReceipt receipt, Model model, String what, String drawn, String found) {
    if (!drawn.equals(found)) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "'%s' was drawn with the %s %s, but '%s' has %s; give the one that drew it with --checkpoint"
              .formatted(receipt.image(), what, drawn, model.name(), found));
    }
  }

  /** Whether an image of this request has exactly this receipt. */
  private static boolean fits(
      ImageIdentity identity,
      ImageRequest request,
      PromptMetadata prompts,
      DrawingFacts facts,
      StoredReceipt receipt) {
    String json = identity.receiptJson(request, prompts, facts);
    return StoredReceipt.read(receipt.image(), json).json().equals(receipt.json());
  }

  private ImageRequest withPrompts(ImageRequest shown) {
    return shown.toBuilder()
        .prompt(prompt.orElse(shown.prompt()))
        .negativePrompt(negativePrompt.or(shown::negativePrompt).orElse(null))
        .build();
  }

  /** What the file shows of these prompts. */
  private PromptMetadata prompts(
      ImageIdentity identity, ImageRequest request, DrawingFacts facts, StoredReceipt receipt) {
    for (PromptMetadata prompts : List.of(PromptMetadata.HASH, PromptMetadata.NONE)) {
      if (fits(identity, request, prompts, facts, receipt)) {
        return prompts;
      }
    }
    boolean given = prompt.isPresent() || negativePrompt.isPresent();
    throw new LightmillException(
        given ? ErrorCode.CONFIGURATION_INVALID : ErrorCode.INPUT_INVALID,
        given
            ? "the prompts given are not those of '%s'; give the prompt, and the negative prompt if it has one, as in its manifest row"
                .formatted(receipt.image())
            : "the receipt of '%s' does not contain its prompts, or has values that this version does not know; give the prompts with --prompt and --negative-prompt"
                .formatted(receipt.image()));
  }

  private RgbImage drawn(PipelineLoader loader, ImageRequest request) {
    if (!Objects.equals(loaded, loader.key())) {
      close();
      Device device = TaskDevice.first(cluster());
      pipeline = loader.load(device);
      loaded = loader.key();
    }
    return Torch.withThreads(
        options.get(ModelOptions.THREADS_PER_IMAGE),
        () -> pipeline.generate(List.of(request)).get(0));
  }

  @Override
  public void close() {
    if (pipeline != null) {
      pipeline.close();
      pipeline = null;
      loaded = null;
    }
  }
}
