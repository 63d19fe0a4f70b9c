package io.lightmill.udfs.plan;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Images that need no drawing, as is known before they are counted.
 *
 * @param images as the other images of the plan; cheap to read several times
 * @param rows number of images
 * @param duplicates those whose id another row of the table has
 * @param idleNegativePrompts those whose negative prompt has no effect
 */
public record SettledImages(
    Dataset<Row> images, long rows, long duplicates, long idleNegativePrompts) {}
