package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;

/**
 * Passes the images of a whole table on, or fails before any is drawn.
 *
 * @param most images of a table
 */
record SmallTable(int most) implements MapPartitionsFunction<Row, Row> {

  @Override
  public Iterator<Row> call(Iterator<Row> planned) {
    List<Row> images = new ArrayList<>();
    while (planned.hasNext()) {
      Row image = planned.next();
      if (images.size() == most) {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID,
            "the table requests more than %d images; give an output, which is for tables of any size"
                .formatted(most));
      }
      if (PlannedImages.duplicate(image)) {
        throw new LightmillException(
            ErrorCode.ID_DUPLICATE,
            "two rows have the id '%s'; give every row an id of its own"
                .formatted(ManifestColumns.ID.<String>of(image)));
      }
      images.add(image);
    }
    return images.iterator();
  }
}
