package io.lightmill.udfs.draw;

import io.lightmill.udfs.plan.PlannedImages;
import java.util.List;
import org.apache.spark.sql.Row;

/**
 * A batch to draw.
 *
 * @param key of its images
 * @param images the rows of each image, at least one
 */
record PlannedBatch(String key, List<List<Row>> images) {

  BatchDrawing.KeyedBatch requests() {
    return new BatchDrawing.KeyedBatch(
        key, images.stream().map(rows -> PlannedImages.request(rows.get(0))).toList());
  }
}
