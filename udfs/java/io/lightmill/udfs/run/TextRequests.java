package io.lightmill.udfs.run;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.Verdict;
import io.lightmill.pipeline.policy.PromptPolicy;
import io.lightmill.pipeline.torch.Torch;
import io.lightmill.udfs.DeviceChoice;
import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.draw.ImageEncoding;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.VerdictJson;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.plan.PlanImages;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.TextRow;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.StructType;

/**
 * Requests that are given as texts, one by one, and planned as a run plans the rows of a table:
 * with the same limits, defaults, policy, seeds, identities and files. Needs no Spark session.
 *
 * @param options of the run
 * @param checkpoint of which no weights are loaded
 * @param device to load it onto
 */
public record TextRequests(
    GenerationOptions options,
    JobCheckpoint checkpoint,
    Device device,
    Optional<PromptPolicy> policy,
    ImageEncoding encoding) {

  private static final StructType PLANNED = PlannedImages.schema(new StructType());

  /**
   * A requested image.
   *
   * @param imageId identity; empty if the row is invalid
   * @param request empty if it must not be drawn
   * @param refusal why it must not be drawn
   * @param flags what the policy finds in a prompt that it does not block
   */
  public record Planned(
      Optional<String> imageId,
      Optional<ImageRequest> request,
      Optional<LightmillException> refusal,
      List<String> flags) {}

  /**
   * Opens checkpoint and policy.
   *
   * @throws LightmillException if an option cannot be used
   */
  public static TextRequests open(GenerationOptions options) {
    if (HostedRun.isHosted(options)) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "checkpoint '%s' is a hosted model, whose images cost money one by one; give a checkpoint on this machine"
              .formatted(options.get(ModelOptions.CHECKPOINT)));
    }
    Configuration hadoop = new Configuration();
    int gpus = options.get(ModelOptions.DEVICE) == DeviceChoice.CPU ? 0 : Torch.gpus();
    if (gpus == 0 && options.get(ModelOptions.DEVICE) == DeviceChoice.CUDA) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "option 'device' is cuda, but libtorch finds no GPU; set it to cpu, or install a libtorch"
              + " with CUDA");
    }
    Cluster cluster = new Cluster(gpus > 0, 1, /* local= */ true, gpus);
    JobCheckpoint checkpoint =
        JobCheckpoint.open(
            options.get(ModelOptions.CHECKPOINT),
            RunHooks.loading(options),
            options.find(ModelOptions.DTYPE),
            cluster,
            hadoop);
    return new TextRequests(
        options,
        checkpoint,
        gpus > 0 ? Device.cuda(0) : Device.CPU,
        PolicyFile.of(options, hadoop),
        new ImageEncoding(
            ImageFiles.identity(checkpoint.model(), options),
            checkpoint.limits().guidance(),
            ImageFiles.marking(hadoop, checkpoint.model(), options, Instant.now())));
  }

  /** Loads the weights. */
  public DiffusionPipeline load() {
    return checkpoint.loader().load(device);
  }

  /**
   * Plans the images of one row.
   *
   * @param cells texts by the names of request columns, and of the columns that the template names;
   *     empty texts count as missing
   * @param template of the prompt; empty if the prompt is a cell
   * @return one for each image that the row requests
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the template is malformed
   */
  public List<Planned> plan(Map<String, String> cells, Optional<String> template) {
    Optional<ColumnTemplate> parsed =
        template.map(text -> ColumnTemplate.parse(PromptColumns.TEMPLATE, text));
    PlanImages planning =
        RequestedImages.planning(
            new PromptColumns(Map.of(), Optional.empty(), parsed, List.of()),
            options,
            checkpoint,
            policy,
            Optional.empty());
    String id = cells.getOrDefault("id", RequestRows.derivedId(new TreeMap<>(cells).toString()));
    List<Planned> images = new ArrayList<>();
    Iterator<Row> rows = planning.call(TextRow.of(id, cells, parsed));
    rows.forEachRemaining(row -> images.add(planned(row)));
    return images;
  }

  private static Planned planned(Row values) {
    Object[] fields = new Object[values.length()];
    Arrays.setAll(fields, values::get);
    Row row = new GenericRowWithSchema(fields, PLANNED);
    String code = ManifestColumns.ERROR_CODE.of(row);
    return new Planned(
        Optional.ofNullable(ManifestColumns.IMAGE_ID.of(row)),
        code == null ? Optional.of(PlannedImages.request(row)) : Optional.empty(),
        Optional.ofNullable(code)
            .map(
                given ->
                    new LightmillException(
                        ErrorCode.valueOf(given), ManifestColumns.ERROR_MESSAGE.of(row))),
        VerdictJson.read(ManifestColumns.VERDICTS.of(row)).stream()
            .filter(verdict -> !verdict.blocks())
            .map(Verdict::message)
            .toList());
  }

  /** The bytes of an image file, with receipt and labels. */
  public byte[] file(ImageRequest request, RgbImage image) {
    return encoding.encoded(request, DrawingFacts.NONE, image);
  }
}
