package io.lightmill.udfs.plan;

import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.RequestColumn;
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

/** Keys of image objects below the output, by a path template. Travels to executors. */
public final class ImageKeys implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final List<String> OWN_VALUES =
      List.of("image_id", "id", "variant", "prompt", "seed", "width", "height");

  private final String template;
  private final Set<String> names;
  private final Map<String, RequestColumn> mapped;
  private final ImageFormat format;
  private final ShardFormat shard;
  private transient PathTemplate parsed;

  /**
   * Checks a template.
   *
   * @param columns of the table, whose values a template may name besides the image's own
   * @param shard that will hold the images, if one will
   * @throws io.lightmill.pipeline.LightmillException with {@code CONFIGURATION_INVALID}
   */
  public ImageKeys(
      String template, PromptColumns columns, ImageFormat format, Optional<ShardFormat> shard) {
    this.template = template;
    this.mapped = new HashMap<>();
    columns.sources().forEach((ours, theirs) -> mapped.put(theirs, ours));
    this.names = new HashSet<>(columns.passthrough());
    this.names.addAll(mapped.keySet());
    this.names.addAll(OWN_VALUES);
    this.format = format;
    this.shard = shard.orElse(null);
    this.parsed = parsed();
  }

  /**
   * The key of one image; no value has to be there.
   *
   * @param row of {@link RequestRows}
   */
  String key(String imageId, String id, int variant, RowRequest asked, long seed, Row row) {
    String key =
        parsed()
            .key(
                name ->
                    switch (name) {
                      case "image_id" -> imageId;
                      case "id" -> id;
                      case "variant" -> Integer.toString(variant);
                      case "prompt" -> asked.prompt();
                      case "seed" -> Long.toUnsignedString(seed);
                      case "width" -> String.valueOf(asked.width());
                      case "height" -> String.valueOf(asked.height());
                      default -> text(tableValue(name, row));
                    });
    return shard == null ? key : PathTemplate.DIRECTORY + "/" + shard.named(PathTemplate.name(key));
  }

  private PathTemplate parsed() {
    if (parsed == null) {
      parsed = PathTemplate.parse(template, names, format);
    }
    return parsed;
  }

  /** A column that Lightmill reads keeps its own name too. */
  private Object tableValue(String name, Row row) {
    RequestColumn ours = mapped.get(name);
    return ours == null
        ? row.<Row>getAs(RequestRows.PASSTHROUGH).getAs(name)
        : row.<Row>getAs(RequestRows.ASKED).getAs(ours.columnName());
  }

  private static String text(Object value) {
    return value == null ? null : value.toString();
  }
}
