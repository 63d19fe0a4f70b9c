package io.lightmill.udfs.plan;

import io.lightmill.pipeline.BatchKey;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.PipelineLoader;
import io.lightmill.udfs.table.PromptTemplate;
import io.lightmill.udfs.table.RequestReader;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RequestRules;
import io.lightmill.udfs.table.RowError;
import io.lightmill.udfs.table.RowRequest;
import java.util.Iterator;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * Turns a row of {@link RequestRows} into rows of {@link PlannedImages}, one for each image asked
 * for: validated, with its seed, identity, key and cost.
 *
 * @param template null if the prompt is a column
 * @param identified whether the table has an id column
 */
public record PlanImages(
    RequestRules rules,
    PromptTemplate template,
    boolean identified,
    ImageIdentity identity,
    ImageKeys keys,
    PipelineLoader loader)
    implements FlatMapFunction<Row, Row> {

  @Override
  public Iterator<Row> call(Row row) {
    RowRequest asked =
        new RequestReader(rules, LoadedPipelines.promptLength(loader), template).read(row);
    return IntStream.range(0, asked.variants())
        .mapToObj(v -> asked.errors().isEmpty() ? image(row, asked, v) : invalid(row, asked, v))
        .iterator();
  }

  private Row image(Row row, RowRequest asked, int variant) {
    String id = row.getAs(RequestRows.ID);
    long seed =
        asked.seed() == null
            ? ImageSeed.derived(rules.seed(), id, variant)
            : ImageSeed.given(asked.seed(), variant);
    ImageRequest request = asked.request(seed);
    BatchKey batchKey = BatchKey.of(request, rules.guidance());
    String imageId = ImageIdentity.imageId(identity.canonicalJson(request));
    Row passthrough = row.getAs(RequestRows.PASSTHROUGH);
    return RowFactory.create(
        imageId,
        id,
        variant,
        null,
        null,
        request.width(),
        request.height(),
        request.prompt(),
        request.negativePrompt().orElse(null),
        request.numInferenceSteps(),
        request.guidanceScale(),
        request.trueCfgScale(),
        request.maxSequenceLength(),
        seed,
        asked.truncated(),
        named(request.lora()),
        keys.key(imageId, id, variant, asked, seed, row),
        batchKey.toString(),
        ImageCost.of(batchKey),
        duplicate(row),
        idleNegativePrompt(request),
        passthrough);
  }

  private Row invalid(Row row, RowRequest asked, int variant) {
    String id = row.getAs(RequestRows.ID);
    String label = id == null ? "row without id" : "row id=" + id;
    return RowFactory.create(
        null,
        id,
        variant,
        asked.errors().get(0).code().name(),
        label + ": " + RowError.listed(asked.errors()),
        asked.width(),
        asked.height(),
        asked.prompt(),
        asked.negativePrompt(),
        asked.numInferenceSteps(),
        asked.guidanceScale(),
        asked.trueCfgScale(),
        asked.maxSequenceLength(),
        asked.seed() == null ? null : ImageSeed.given(asked.seed(), variant),
        asked.truncated(),
        named(asked.lora()),
        null,
        null,
        null,
        duplicate(row),
        false,
        row.getAs(RequestRows.PASSTHROUGH));
  }

  private static String named(LoraBlend lora) {
    return lora == null || lora.isEmpty() ? null : lora.toString();
  }

  /** As in diffusers, where a scale of 1 turns classifier-free guidance off without a word. */
  private boolean idleNegativePrompt(ImageRequest request) {
    return request.negativePrompt().filter(negative -> !negative.isBlank()).isPresent()
        && !rules.guidance().guides(request);
  }

  private boolean duplicate(Row row) {
    return identified
        && row.getAs(RequestRows.ID) != null
        && row.<Integer>getAs(RequestRows.OCCURRENCE) > 1;
  }
}
