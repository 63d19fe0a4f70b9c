package io.lightmill.udfs;

import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.plan.ImageIdentity;
import io.lightmill.udfs.plan.ImageKeys;
import io.lightmill.udfs.plan.PlanImages;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.PromptInput;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RequestRules;
import io.lightmill.udfs.table.RowDefaults;
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
public final class TestTables {

  /** Job seed 7, and nothing else. */
  public static final RowDefaults DEFAULTS = new RowDefaults(Map.of(), 7, false);

  public static final RowDefaults TRUNCATING = new RowDefaults(Map.of(), 7, true);

  private TestTables() {}

  public static RowDefaults defaults(String column, String value) {
    return new RowDefaults(Map.of(column, value), 7, false);
  }

  /**
   * A table of text.
   *
   * @param header names, divided by commas
   * @param lines values, divided by commas; an empty one is null
   */
  public static Dataset<Row> of(String header, String... lines) {
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

  /** The images that a table requests, under the test pipeline's limits. */
  public static Dataset<Row> planned(Dataset<Row> table) {
    return planned(table, null, DEFAULTS);
  }

  public static Dataset<Row> planned(Dataset<Row> table, String template, RowDefaults defaults) {
    return images(
        table,
        PromptColumns.assign(
            table,
            new PromptInput(
                Optional.of(table),
                PromptInput.DATA_FRAME,
                Optional.empty(),
                Map.of(),
                Optional.ofNullable(template),
                OptionalInt.empty()),
            Manifest.reserved()),
        defaults);
  }

  /** The images that the table at a location requests. */
  public static Dataset<Row> planned(String location) {
    PromptRows rows =
        PromptRows.open(TestSpark.session(), PromptInput.at(location), Manifest.reserved());
    return images(rows.rows(), rows.columns(), DEFAULTS);
  }

  private static Dataset<Row> images(
      Dataset<Row> table, PromptColumns columns, RowDefaults defaults) {
    Dataset<Row> requests = RequestRows.of(table, columns);
    JobCheckpoint checkpoint = new SolidColorPipeline().checkpoint();
    PlanImages planning =
        new PlanImages(
            RequestRules.of(checkpoint.limits(), checkpoint.model().adapters().keySet(), defaults),
            columns.template().orElse(null),
            columns.sources().containsKey(RequestColumns.ID),
            new ImageIdentity(checkpoint.model(), ImageFormat.PNG),
            new ImageKeys("{image_id}", columns, ImageFormat.PNG, Optional.empty()),
            null,
            checkpoint.loader());
    StructType passthrough = RequestRows.passthrough(requests.schema());
    return requests.flatMap(planning, Encoders.row(PlannedImages.schema(passthrough)));
  }
}
