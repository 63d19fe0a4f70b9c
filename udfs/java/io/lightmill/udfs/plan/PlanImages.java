package io.lightmill.udfs.plan;

import io.lightmill.pipeline.BatchKey;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.Verdict;
import io.lightmill.pipeline.policy.PromptPolicy;
import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.column.RowError;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.PipelineLoader;
import io.lightmill.udfs.manifest.VerdictJson;
import io.lightmill.udfs.table.RequestReader;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RequestRules;
import io.lightmill.udfs.table.RowDigests;
import io.lightmill.udfs.table.RowRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * Turns a row of {@link RequestRows} into rows of {@link PlannedImages}, one for each requested
 * image: validated, with its seed, identity, key and cost.
 *
 * @param template null if the prompt is a column
 * @param identified whether the table has an id column
 * @param policy for prompts; null if there is none
 */
public record PlanImages(
    RequestRules rules,
    ColumnTemplate template,
    boolean identified,
    ImageIdentity identity,
    ImageKeys keys,
    PromptPolicy policy,
    PipelineLoader loader)
    implements FlatMapFunction<Row, Row> {

  /** The images of many rows, each planned when it is needed. */
  public Iterator<Row> images(Iterator<Row> rows) {
    return new LazyIteratorChain<>() {
      @Override
      protected Iterator<Row> nextIterator(int count) {
        return rows.hasNext() ? call(rows.next()) : null;
      }
    };
  }

  @Override
  public Iterator<Row> call(Row row) {
    RowRequest requested =
        new RequestReader(rules, LoadedPipelines.promptLength(loader), template).read(row);
    List<Verdict> verdicts = requested.errors().isEmpty() ? verdicts(requested) : List.of();
    return IntStream.range(0, requested.variants())
        .mapToObj(
            variant ->
                requested.errors().isEmpty()
                    ? image(row, requested, verdicts, variant)
                    : invalid(row, requested, variant))
        .iterator();
  }

  /** The policy's, on the prompts that have an effect. */
  private List<Verdict> verdicts(RowRequest requested) {
    if (policy == null) {
      return List.of();
    }
    ImageRequest request = requested.request(0);
    return policy.check(
        request.prompt(),
        request.negativePrompt().filter(negative -> rules.guidance().guides(request)));
  }

  private Row image(Row row, RowRequest requested, List<Verdict> verdicts, int variant) {
    String id = row.getAs(RequestRows.ID);
    Long given = requested.value(RequestColumns.SEED);
    long seed =
        given == null
            ? ImageSeed.derived(rules.seed(), id, variant)
            : ImageSeed.given(given, variant);
    ImageRequest request = requested.request(seed);
    BatchKey batchKey = BatchKey.of(request, rules.guidance());
    String imageId = ImageIdentity.imageId(identity.canonicalJson(request));
    List<Object> values = new ArrayList<>();
    Optional<Verdict> blocking = Verdict.deciding(verdicts).filter(Verdict::blocks);
    Collections.addAll(
        values,
        imageId,
        id,
        variant,
        blocking.map(verdict -> ErrorCode.PROMPT_BLOCKED.name()).orElse(null),
        blocking.map(verdict -> label(id) + ": " + verdict.message()).orElse(null),
        requested.truncated(),
        VerdictJson.of(verdicts),
        policy == null ? null : policy.digest(),
        requested.value(RequestColumns.REVISES),
        RowDigests.ofImages(RequestRows.digest(row), requested.variants()));
    addRequest(values, requested, seed);
    boolean drawn = blocking.isEmpty();
    Collections.addAll(
        values,
        drawn ? keys.key(imageId, variant, seed, row, requested) : null,
        drawn ? batchKey.toString() : null,
        drawn ? ImageCost.of(batchKey) : null,
        duplicate(row),
        PlannedImages.idleNegativePrompt(request, rules.guidance()),
        row.<Row>getAs(RequestRows.PASSTHROUGH));
    return RowFactory.create(values.toArray());
  }

  private Row invalid(Row row, RowRequest requested, int variant) {
    String id = row.getAs(RequestRows.ID);
    Long given = requested.value(RequestColumns.SEED);
    List<Object> values = new ArrayList<>();
    Collections.addAll(
        values,
        null,
        id,
        variant,
        requested.errors().get(0).code().name(),
        label(id) + ": " + RowError.listed(requested.errors()),
        requested.truncated(),
        null,
        null,
        requested.value(RequestColumns.REVISES),
        null);
    addRequest(values, requested, given == null ? null : ImageSeed.given(given, variant));
    Collections.addAll(
        values, null, null, null, duplicate(row), false, row.<Row>getAs(RequestRows.PASSTHROUGH));
    return RowFactory.create(values.toArray());
  }

  private static String label(String id) {
    return id == null ? "row without id" : "row id=" + InvisibleCharacters.escaped(id);
  }

  private static void addRequest(List<Object> values, RowRequest requested, Long seed) {
    for (RequestColumn<?> column : PlannedImages.requestColumns()) {
      values.add(column == RequestColumns.SEED ? seed : stored(column, requested));
    }
  }

  private static <T> Object stored(RequestColumn<T> column, RowRequest requested) {
    return column.toSpark(requested.value(column));
  }

  private boolean duplicate(Row row) {
    return identified
        && row.getAs(RequestRows.ID) != null
        && row.<Integer>getAs(RequestRows.OCCURRENCE) > 1;
  }
}
