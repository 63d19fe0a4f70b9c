package io.lightmill.udfs;

import io.lightmill.pipeline.image.ImageFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Prompt tables of text, and what is planned of them. */
final class TestTables {

  static final GenerationSettings.Defaults DEFAULTS = defaults(OptionalInt.empty(), false);

  private TestTables() {}

  static GenerationSettings.Defaults defaults(OptionalInt width, boolean truncatePrompts) {
    return new GenerationSettings.Defaults(
        width,
        OptionalInt.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        7,
        truncatePrompts,
        Optional.empty());
  }

  /**
   * A table of text.
   *
   * @param header names, divided by commas
   * @param lines values, divided by commas; an empty one is null
   */
  static Dataset<Row> of(String header, String... lines) {
    StructType schema = new StructType();
    for (String name : header.split(",", -1)) {
      schema = schema.add(name, DataTypes.StringType);
    }
    List<Row> rows = new ArrayList<>();
    for (String line : lines) {
      String[] values = line.split(",", -1);
      rows.add(
          RowFactory.create(
              Arrays.stream(values).map(v -> v.isEmpty() ? null : v).toArray(Object[]::new)));
    }
    return TestSpark.session().createDataFrame(rows, schema);
  }

  /** The images that a table asks for, under the paint studio's limits. */
  static Dataset<Row> planned(Dataset<Row> table) {
    return planned(table, null, DEFAULTS);
  }

  static Dataset<Row> planned(
      Dataset<Row> table, String template, GenerationSettings.Defaults defaults) {
    PromptColumns columns =
        PromptColumns.assign(
            table,
            new GenerationSettings.Table(
                "t",
                Optional.empty(),
                Map.of(),
                Optional.ofNullable(template),
                OptionalInt.empty()));
    Dataset<Row> requests = RequestRows.of(table, columns);
    JobCheckpoint checkpoint = new PaintStudio().checkpoint();
    PlanImages planning =
        new PlanImages(
            RequestRules.of(checkpoint.limits(), checkpoint.model().adapters().keySet(), defaults),
            columns.template().orElse(null),
            columns.sources().containsKey(RequestColumn.ID),
            new ImageIdentity(checkpoint.model(), ImageFormat.PNG),
            new ImageKeys("{image_id}", columns, ImageFormat.PNG),
            checkpoint.loader());
    StructType passthrough = RequestRows.passthrough(requests.schema());
    return requests.flatMap(planning, Encoders.row(PlannedImages.schema(passthrough)));
  }
}
