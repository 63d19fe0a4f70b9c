package io.lightmill.udfs.batch;

import static org.apache.spark.sql.functions.col;

import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.BatchImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ObjectBody;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;

/**
 * The results of one run in OpenAI's batch format, one line for each request: {@value #RESULTS} for
 * requests all of whose images exist, {@value #ERRORS} for the others. Both replace the files of an
 * earlier run. The order of lines is not that of the requests.
 *
 * @param output of the run
 * @param runId of the run
 * @param images what the lines contain of images
 */
public record BatchResults(
    String output, String runId, BatchImages images, SharedConfiguration hadoop) {

  public static final String RESULTS = "output.jsonl";
  public static final String ERRORS = "errors.jsonl";

  private static final String CONTENT_TYPE = "application/jsonl";

  /** Images of a partition, so that the driver holds their bytes. */
  private static final int IMAGES_PER_PARTITION = 64;

  private static final List<ManifestColumn> READ =
      List.of(
          ManifestColumns.ID,
          ManifestColumns.VARIANT,
          ManifestColumns.STATUS,
          ManifestColumns.ERROR_CODE,
          ManifestColumns.ERROR_MESSAGE,
          ManifestColumns.PATH,
          ManifestColumns.PATH_URI,
          ManifestColumns.MEMBER,
          ManifestColumns.MEMBER_OFFSET,
          ManifestColumns.BYTES,
          ManifestColumns.FORMAT,
          ManifestColumns.WIDTH,
          ManifestColumns.HEIGHT,
          ManifestColumns.CREATED_AT);

  /**
   * Writes both files.
   *
   * @param manifest of the run
   * @param directory on any Hadoop file system
   */
  public void store(Dataset<Row> manifest, String directory) throws IOException {
    Dataset<Row> rows =
        manifest.select(READ.stream().map(ManifestColumn::col).toArray(Column[]::new));
    int partitions = (int) (rows.count() / IMAGES_PER_PARTITION) + 1;
    Dataset<Row> requests =
        rows.repartition(partitions, col(ManifestColumns.ID.name()))
            .sortWithinPartitions(ManifestColumns.ID.col(), ManifestColumns.VARIANT.col());
    ImageStore store = ImageStore.open(directory, hadoop.value());
    store.put(RESULTS, body(requests, false), CONTENT_TYPE);
    store.put(ERRORS, body(requests, true), CONTENT_TYPE);
  }

  private ObjectBody body(Dataset<Row> requests, boolean errors) {
    Dataset<String> lines =
        requests.mapPartitions(
            new BatchLines(output, runId, images, errors, hadoop), Encoders.STRING());
    return out -> {
      Iterator<String> each = lines.toLocalIterator();
      while (each.hasNext()) {
        out.write(each.next().getBytes(StandardCharsets.UTF_8));
        out.write('\n');
      }
    };
  }
}
