package io.lightmill.udfs.manifest;

import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.StreamedParquetFile;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.Iterator;
import java.util.List;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.catalyst.InternalRow;
import io.lightmill.udfs.store.SharedConfiguration;

/**
 * Writes the rows of a partition as one file, first on the local disk of the task: so it can be
 * uploaded again if the store fails meanwhile.
 *
 * @param settings of {@link ManifestFormat}
 * @param key of the file below the output; null to leave it on the local disk, which then is that
 *     of the driver
 */
record WriteFile(SharedConfiguration settings, String output, String key)
    implements FlatMapFunction<Iterator<InternalRow>, String> {

  /** Returns the path of the local file, or the key. */
  @Override
  public Iterator<String> call(Iterator<InternalRow> rows) throws IOException {
    File file = SparkEnv.get().blockManager().diskBlockManager().createTempLocalBlock()._2();
    try {
      write(rows, file);
      if (key != null) {
        ImageStore.open(output, settings.value())
            .put(key, out -> Files.copy(file.toPath(), out), Manifest.CONTENT_TYPE);
        Files.delete(file.toPath());
      }
      return List.of(key == null ? file.getPath() : key).iterator();
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(file.toPath());
      throw e;
    }
  }

  private void write(Iterator<InternalRow> rows, File file) throws IOException {
    try (OutputStream out = Files.newOutputStream(file.toPath());
        ParquetWriter<InternalRow> parquet =
            ManifestFormat.writer(new StreamedParquetFile(out), settings.value())) {
      while (rows.hasNext()) {
        parquet.write(rows.next());
      }
    }
  }
}
