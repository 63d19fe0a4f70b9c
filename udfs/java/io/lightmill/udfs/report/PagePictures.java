package io.lightmill.udfs.report;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.shard.RowJson;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;

/**
 * The pictures of a run's page as JSON: an index of all of them, which the page searches, and their
 * small copies and parameters in chunks, which the page loads as they are needed. No text of them
 * can end the script element that it is in.
 *
 * @param thumbnails finds the small copy of an image; null where there is none
 */
record PagePictures(PageRows page, List<PageReason> reasons, Function<Row, byte[]> thumbnails) {

  /** Pictures of a chunk. */
  static final int CHUNK = 100;

  /** Characters of all prompts in the index. */
  private static final int INDEX_BUDGET = 6_000_000;

  private static final int SHORTEST = 200;
  private static final int LONGEST = 4_000;

  /** Of the parameters of a picture, an estimate. */
  private static final int BYTES_OF_ROW = 1_500;

  /** For the page, which is UTF-8. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN).build();

  /** For files, whose encoding a server may not know. */
  private static final JsonMapper ASCII =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  private static final List<ImageStatus> STATUSES = List.of(ImageStatus.values());

  private static final Set<ImageStatus> WITH_IMAGE =
      Set.of(ImageStatus.GENERATED, ImageStatus.REUSED);

  private static final List<String> REQUEST =
      RequestColumns.ALL.stream()
          .filter(RequestColumn::inRequest)
          .map(RequestColumn::name)
          .toList();

  int size() {
    return page.rows().size();
  }

  int chunks() {
    return (size() + CHUNK - 1) / CHUNK;
  }

  /** Characters of a prompt that the index has. */
  int indexed() {
    return Math.max(SHORTEST, Math.min(LONGEST, INDEX_BUDGET / Math.max(1, size())));
  }

  /** About the bytes of all chunks. */
  long bytes() {
    return page.rows().stream()
        .mapToLong(
            row -> {
              byte[] thumbnail = thumbnails.apply(row);
              return BYTES_OF_ROW + (thumbnail == null ? 0 : thumbnail.length * 4L / 3);
            })
        .sum();
  }

  /** The index: one array for each property, with an element for each picture. */
  String index() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      json.writeNumberField("chunk", CHUNK);
      json.writeNumberField("indexed", indexed());
      array(json, "statuses", STATUSES, ImageStatus::label);
      array(json, "reasons", reasons, PagePictures::name);
      List<Row> rows = page.rows();
      array(json, "id", rows, row -> Optional.ofNullable(ManifestColumns.ID.of(row)).orElse(""));
      array(json, "variant", rows, ManifestColumns.VARIANT::of);
      array(json, "status", rows, row -> STATUSES.indexOf(status(row)));
      array(json, "reason", rows, this::reason);
      array(json, "text", rows, row -> PageReason.text(row).orElse(null));
      array(json, "prompt", rows, this::prompt);
      array(json, "width", rows, ManifestColumns.WIDTH::of);
      array(json, "height", rows, ManifestColumns.HEIGHT::of);
      array(json, "path", rows, PagePictures::object);
      array(json, "seconds", rows, PagePictures::seconds);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory to memory
    }
    return inScript(text.toString());
  }

  private static <T> void array(
      JsonGenerator json, String name, List<T> items, Function<T, Object> value)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (T item : items) {
      json.writePOJO(value.apply(item));
    }
    json.writeEndArray();
  }

  private static String name(PageReason reason) {
    return reason.equals(PageReason.OTHERS)
        ? "further reasons"
        : String.join(
            " · ",
            Arrays.stream(new String[] {reason.status(), reason.code(), reason.rule()})
                .filter(part -> !part.isEmpty())
                .toList());
  }

  private static ImageStatus status(Row row) {
    return ImageStatus.labelled(ManifestColumns.STATUS.of(row));
  }

  /** The place among {@link #reasons}; -1 for no reason. */
  private Object reason(Row row) {
    return PageReason.of(row)
        .map(
            reason -> {
              int place = reasons.indexOf(reason);
              return place < 0 ? reasons.indexOf(PageReason.OTHERS) : place;
            })
        .orElse(-1);
  }

  private Object prompt(Row row) {
    String prompt = ManifestColumns.PROMPT.of(row);
    return prompt == null ? "" : PageText.cut(prompt, indexed());
  }

  /** Whether a row has an image that may be shown: one in quarantine may not. */
  static boolean hasImage(Row row) {
    return ManifestColumns.PATH.of(row) != null && WITH_IMAGE.contains(status(row));
  }

  /** The path of an image that is an object of its own, which a browser can show. */
  private static Object object(Row row) {
    return hasImage(row) && ManifestColumns.MEMBER.of(row) == null
        ? ManifestColumns.PATH.of(row)
        : null;
  }

  private static Object seconds(Row row) {
    Double millis = ManifestColumns.GENERATE_MS.of(row);
    return millis == null ? null : Math.round(millis) / 1000.0;
  }

  /**
   * Small copies and parameters of some pictures, as an array in ASCII.
   *
   * @param number from 0
   */
  String chunk(int number) {
    List<Map<String, Object>> pictures =
        page.rows().subList(number * CHUNK, Math.min(size(), (number + 1) * CHUNK)).stream()
            .map(this::picture)
            .toList();
    try {
      return inScript(ASCII.writeValueAsString(pictures));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("plain values can always be written as JSON", e);
    }
  }

  private Map<String, Object> picture(Row row) {
    Map<String, Object> picture = new LinkedHashMap<>();
    picture.put("image_id", ManifestColumns.IMAGE_ID.of(row));
    picture.put("thumbnail", thumbnails.apply(row)); // Jackson writes bytes in Base64
    Map<String, Object> values =
        RowJson.object(row.schema(), row, IntStream.range(0, row.length()).boxed().toList());
    values.remove(Manifest.THUMBNAIL);
    values.values().removeIf(value -> value == null);
    picture.put("row", exact(table(values)));
    picture.put("facts", exact(facts(values)));
    List<String> cut = cut(values);
    if (!cut.isEmpty()) {
      picture.put("cut", cut);
    }
    return picture;
  }

  /**
   * Texts as they are, and of other values an array with their JSON: numbers of scripts have 53
   * bits, and seeds have 64.
   */
  private static Map<String, Object> exact(Map<String, Object> values) {
    Map<String, Object> exact = new LinkedHashMap<>();
    values.forEach(
        (name, value) ->
            exact.put(
                name,
                value instanceof String ? value : List.of(JSON.valueToTree(value).toString())));
    return exact;
  }

  /** The row of a prompt table that draws this image again. */
  private Map<String, Object> table(Map<String, Object> values) {
    Set<String> columns = new LinkedHashSet<>();
    columns.add(RequestColumns.ID.name());
    columns.add(RequestColumns.PROMPT.name());
    columns.addAll(page.passthrough());
    columns.addAll(REQUEST);
    columns.add(RequestColumns.REVISES.name());
    Map<String, Object> row = new LinkedHashMap<>();
    columns.forEach(column -> row.computeIfAbsent(column, values::get));
    row.computeIfPresent(
        RequestColumns.SEED.name(),
        (name, seed) -> values.getOrDefault(ManifestColumns.SEED_USED.name(), seed));
    row.put(RequestColumns.NUM_IMAGES_PER_PROMPT.name(), 1);
    return row;
  }

  /** What the manifest says beside the request. */
  private static Map<String, Object> facts(Map<String, Object> values) {
    Map<String, Object> facts = new LinkedHashMap<>();
    for (ManifestColumn column : ManifestColumns.ALL) {
      Object value = values.get(column.name());
      if (value != null
          && !column.name().equals(RequestColumns.ID.name())
          && !REQUEST.contains(column.name())) {
        facts.put(column.name(), value);
      }
    }
    facts.computeIfPresent(
        ManifestColumns.CREATED_AT.name(),
        (name, micros) ->
            Instant.EPOCH.plus(((Number) micros).longValue(), ChronoUnit.MICROS).toString());
    return facts;
  }

  /** The columns whose texts are longer than the page has them. */
  private List<String> cut(Map<String, Object> values) {
    List<String> cut = new ArrayList<>();
    List<String> others = page.passthrough();
    values.forEach(
        (name, value) -> {
          int most = others.contains(name) ? page.passthroughLimit() : page.textLimit();
          if (value instanceof String text && text.codePointCount(0, text.length()) > most) {
            cut.add(name);
          }
        });
    return cut;
  }

  /** The same JSON without characters that end a script element or begin a comment in it. */
  private static String inScript(String json) {
    return json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
  }
}
