package io.lightmill.udfs.report;

import io.lightmill.udfs.TestSpark;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Manifests with the columns that people's reports are made of. */
public final class TestManifest {

  private static final StructType COLUMNS =
      new StructType()
          .add("sku", DataTypes.StringType)
          .add("image_id", DataTypes.StringType)
          .add("id", DataTypes.StringType)
          .add("variant", DataTypes.IntegerType)
          .add("status", DataTypes.StringType)
          .add("error_code", DataTypes.StringType)
          .add("error_message", DataTypes.StringType)
          .add("verdict", DataTypes.StringType)
          .add("verdict_category", DataTypes.StringType)
          .add("verdict_rule", DataTypes.StringType)
          .add("path", DataTypes.StringType)
          .add("member", DataTypes.StringType)
          .add("member_offset", DataTypes.LongType)
          .add("bytes", DataTypes.LongType)
          .add("width", DataTypes.IntegerType)
          .add("height", DataTypes.IntegerType)
          .add("prompt", DataTypes.StringType)
          .add("seed", DataTypes.LongType);

  private TestManifest() {}

  public static Dataset<Row> of(List<Row> rows) {
    return TestSpark.session().createDataFrame(rows, COLUMNS);
  }

  public static Row generated(String id, String path) {
    return generated(id, path, null, null, 1);
  }

  public static Row generated(
      String id, String path, String member, Long memberOffset, long bytes) {
    return RowFactory.create(
        "S" + id,
        "f00d" + id,
        id,
        0,
        "generated",
        null,
        null,
        null,
        null,
        null,
        path,
        member,
        memberOffset,
        bytes,
        64,
        48,
        "a mug " + id,
        5L);
  }

  public static Row refused(String id, String status, String code, String message) {
    return RowFactory.create(
        "S" + id, null, id, 0, status, code, message, null, null, null, null, null, null, null,
        null, null, null, null);
  }
}
