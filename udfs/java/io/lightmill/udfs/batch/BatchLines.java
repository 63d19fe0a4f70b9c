package io.lightmill.udfs.batch;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.BatchImages;
import io.lightmill.udfs.shard.ImagePlace;
import io.lightmill.udfs.shard.PlacedImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.SharedConfiguration;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.collections4.iterators.LazyIteratorChain;
import org.apache.commons.collections4.iterators.PeekingIterator;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;

/**
 * Lines of the result file or of the error file, for rows of a manifest sorted by id. A row without
 * an id is a request of its own.
 *
 * @param errors whether the lines are those of the error file
 */
record BatchLines(
    String output, String runId, BatchImages images, boolean errors, SharedConfiguration hadoop)
    implements MapPartitionsFunction<Row, String> {

  private static final JsonMapper JSON = new JsonMapper();
  private static final Set<String> DONE =
      Set.of(ImageStatus.GENERATED.label(), ImageStatus.REUSED.label());
  private static final int ID_DIGITS = 24;

  @Override
  public Iterator<String> call(Iterator<Row> rows) {
    PeekingIterator<Row> ahead = PeekingIterator.peekingIterator(rows);
    PlacedImages stored = new PlacedImages(ImageStore.open(output, hadoop.value()));
    return new LazyIteratorChain<>() {
      @Override
      protected Iterator<String> nextIterator(int count) {
        return ahead.hasNext() ? line(request(ahead), stored).stream().iterator() : null;
      }
    };
  }

  private static List<Row> request(PeekingIterator<Row> rows) {
    List<Row> request = new ArrayList<>();
    String id;
    do {
      request.add(rows.next());
      id = ManifestColumns.ID.of(request.get(0));
    } while (id != null
        && rows.hasNext()
        && Objects.equals(id, ManifestColumns.ID.<String>of(rows.peek())));
    return request;
  }

  /** Empty if the line belongs to the other file. */
  private Optional<String> line(List<Row> request, PlacedImages stored) {
    Optional<Row> undone =
        request.stream()
            .filter(row -> !DONE.contains(ManifestColumns.STATUS.<String>of(row)))
            .findFirst();
    if (undone.isPresent() != errors) {
      return Optional.empty();
    }
    String id = ManifestColumns.ID.of(request.get(0));
    String name = DigestUtils.sha256Hex(runId + "/" + id).substring(0, ID_DIGITS);
    ObjectNode line = JSON.createObjectNode();
    line.put("id", "batch_req_" + name);
    line.put("custom_id", id);
    if (undone.isEmpty()) {
      response(line, 200, name).set("body", body(request, stored));
      line.putNull("error");
    } else {
      error(line, undone.get(), name);
    }
    return Optional.of(line.toString());
  }

  private static ObjectNode response(ObjectNode line, int status, String name) {
    ObjectNode response = line.putObject("response");
    response.put("status_code", status);
    response.put("request_id", "req_" + name);
    return response;
  }

  private ObjectNode body(List<Row> request, PlacedImages stored) {
    ObjectNode body = JSON.createObjectNode();
    body.put(
        "created",
        request.stream()
            .map(row -> instant(ManifestColumns.CREATED_AT.of(row)))
            .max(Comparator.naturalOrder())
            .orElseThrow()
            .getEpochSecond());
    ArrayNode data = body.putArray("data");
    request.forEach(row -> data.add(image(row, stored)));
    Row first = request.get(0);
    body.put(
        "size",
        "%dx%d"
            .formatted(
                ManifestColumns.WIDTH.<Integer>of(first),
                ManifestColumns.HEIGHT.<Integer>of(first)));
    body.put("output_format", ManifestColumns.FORMAT.<String>of(first));
    return body;
  }

  /** The session decides which of the two it is. */
  private static Instant instant(Object time) {
    return time instanceof Timestamp timestamp ? timestamp.toInstant() : (Instant) time;
  }

  private ObjectNode image(Row row, PlacedImages stored) {
    ObjectNode image = JSON.createObjectNode();
    String member = ManifestColumns.MEMBER.of(row);
    if (images == BatchImages.B64_JSON) {
      ImagePlace place =
          new ImagePlace(
              ManifestColumns.PATH.of(row),
              Optional.ofNullable(member),
              Optional.ofNullable(ManifestColumns.MEMBER_OFFSET.<Long>of(row)),
              ManifestColumns.BYTES.<Long>of(row));
      byte[] bytes =
          stored
              .read(place)
              .orElseThrow(
                  () ->
                      new IllegalStateException(
                          "image '%s' is not in the store any more".formatted(place.path())));
      image.put("b64_json", Base64.getEncoder().encodeToString(bytes));
    } else {
      image.put("url", ManifestColumns.PATH_URI.<String>of(row));
      if (member != null) {
        image.put("member", member);
      }
    }
    return image;
  }

  private static void error(ObjectNode line, Row row, String name) {
    String status = ManifestColumns.STATUS.of(row);
    String message = ManifestColumns.ERROR_MESSAGE.of(row);
    if (status.equals(ImageStatus.PENDING.label())) {
      line.putNull("response");
      ObjectNode error = line.putObject("error");
      error.put("code", "batch_expired");
      error.put("message", "the run was stopped before it drew this request; run it again");
      return;
    }
    boolean ours = status.equals(ImageStatus.FAILED.label());
    ObjectNode error = response(line, ours ? 500 : 400, name).putObject("body").putObject("error");
    error.put("message", message);
    error.put("type", ours ? "server_error" : "invalid_request_error");
    error.putNull("param");
    error.put("code", ManifestColumns.ERROR_CODE.<String>of(row));
    line.putNull("error");
  }
}
