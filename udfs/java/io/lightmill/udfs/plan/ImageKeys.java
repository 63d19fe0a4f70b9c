package io.lightmill.udfs.plan;

import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RowRequest;
import java.io.Serializable;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Row;

/** Keys of image objects below the output, by a path template. Used on executors. */
public final class ImageKeys implements Serializable {

  private static final long serialVersionUID = 1L;

  /** Request columns that every image has a value for, whatever the table names them. */
  private static final List<RequestColumn<?>> REQUEST_COLUMNS =
      List.of(RequestColumns.PROMPT, RequestColumns.WIDTH, RequestColumns.HEIGHT);

  /** All values that every image has. */
  private static final List<String> IMAGE_VALUES =
      List.of(
              ManifestColumns.IMAGE_ID,
              ManifestColumns.ID,
              ManifestColumns.VARIANT,
              ManifestColumns.PROMPT,
              ManifestColumns.SEED,
              ManifestColumns.WIDTH,
              ManifestColumns.HEIGHT)
          .stream()
          .map(ManifestColumn::name)
          .toList();

  private final String template;
  private final Set<String> names;

  /** Request columns by the table's own names. */
  private final Map<String, String> mapped;

  private final ImageFormat format;
  private final ShardFormat shard;
  private transient PathTemplate parsed;

  /**
   * Checks a template.
   *
   * @param columns of the table, whose values a template may have besides those of the image
   * @param shard format of the shards that will hold the images; empty to store them unpacked
   * @throws io.lightmill.pipeline.LightmillException with {@code CONFIGURATION_INVALID}
   */
  public ImageKeys(
      String template, PromptColumns columns, ImageFormat format, Optional<ShardFormat> shard) {
    this.template = template;
    this.mapped = new HashMap<>();
    columns.sources().forEach((ours, theirs) -> mapped.put(theirs, ours.name()));
    this.names = new HashSet<>(columns.passthrough());
    this.names.addAll(mapped.keySet());
    this.names.addAll(IMAGE_VALUES);
    this.format = format;
    this.shard = shard.orElse(null);
    this.parsed = parsed();
  }

  /**
   * The key of one image.
   *
   * @param row of {@link RequestRows}
   */
  String key(String imageId, int variant, long seed, Row row, RowRequest requested) {
    Map<String, Object> image = new HashMap<>();
    image.put(ManifestColumns.IMAGE_ID.name(), imageId);
    image.put(ManifestColumns.ID.name(), row.getAs(RequestRows.ID));
    image.put(ManifestColumns.VARIANT.name(), variant);
    image.put(ManifestColumns.SEED.name(), Long.toUnsignedString(seed));
    REQUEST_COLUMNS.forEach(column -> image.put(column.name(), requested.value(column)));
    String key =
        parsed().key(name -> text(image.containsKey(name) ? image.get(name) : cell(name, row)));
    return shard == null ? key : PathTemplate.DIRECTORY + "/" + shard.named(PathTemplate.name(key));
  }

  private PathTemplate parsed() {
    if (parsed == null) {
      parsed = PathTemplate.parse(template, names, format);
    }
    return parsed;
  }

  /** The value of the table; request columns keep the names that the table gives them. */
  private Object cell(String name, Row row) {
    String column = mapped.get(name);
    return column == null
        ? row.<Row>getAs(RequestRows.PASSTHROUGH).getAs(name)
        : row.<Row>getAs(RequestRows.REQUESTED).getAs(column);
  }

  private static String text(Object value) {
    return value == null ? null : value.toString();
  }
}
