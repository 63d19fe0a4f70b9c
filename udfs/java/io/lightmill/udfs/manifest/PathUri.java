package io.lightmill.udfs.manifest;

import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.replace;
import static org.apache.spark.sql.functions.url_encode;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;

/** The URI of {@link ManifestColumns#PATH}, as {@link ManifestColumns#PATH_URI} has it. */
public final class PathUri {

  private PathUri() {}

  /**
   * The column; null in rows without a path.
   *
   * @param output of the objects
   */
  public static Column of(String output, Configuration hadoop) throws IOException {
    Path path = new Path(output);
    return column(path.getFileSystem(hadoop).makeQualified(path));
  }

  /** RFC 3986; {@code url_encode} encodes forms, in which a blank is a plus. */
  static Column column(Path output) {
    String root = output.toUri().toASCIIString().replaceFirst("^file:/(?!/)", "file:///");
    Column encoded = url_encode(ManifestColumns.PATH.col());
    return concat(
        lit(root.endsWith("/") ? root : root + "/"),
        replace(replace(encoded, lit("%2F"), lit("/")), lit("+"), lit("%20")));
  }
}
