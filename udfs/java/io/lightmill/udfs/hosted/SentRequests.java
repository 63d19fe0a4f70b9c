package io.lightmill.udfs.hosted;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.udfs.manifest.RunAttempt;
import io.lightmill.udfs.store.FoundObject;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ListedObject;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Requests to a hosted model that were sent, or were about to be, and whose answers are not stored
 * yet: one small object for each below {@value #DIRECTORY}, written before the request and deleted
 * after its image is stored. So a later run finds the requests of a process that was killed between
 * request and answer, and repeats them only if its options say so. The two calls to the store cost
 * less than a thousandth of an image.
 *
 * @param store of the output
 * @param runId of this attempt
 */
public record SentRequests(ImageStore store, String runId) {

  /** The directory of all runs below an output. */
  public static final String DIRECTORY = "requests";

  private static final String CONTENT_TYPE = "application/json";
  private static final JsonMapper JSON = new JsonMapper();

  /**
   * A request without a known answer.
   *
   * @param modified by the clock of the store
   */
  public record Open(String key, String imageId, Instant modified) {

    private boolean isOf(RunAttempt attempt) {
      return RunAttempt.of(key.split("/", -1)[1]).runId().equals(attempt.runId());
    }
  }

  private String key(String imageId) {
    return DIRECTORY + "/" + runId + "/" + imageId + ".json";
  }

  /**
   * Records a request before it is sent.
   *
   * @param again whether this process has recorded it before, for an earlier attempt
   * @return false if another process has recorded it; then it must not be sent
   */
  public boolean note(String imageId, String model, boolean again) {
    if (again) {
      store.put(key(imageId), content(imageId, model), CONTENT_TYPE);
      return true;
    }
    byte[] content = content(imageId, model);
    return store.create(key(imageId), content, CONTENT_TYPE).isPresent()
        || store // its own, if the response to the first attempt was lost
            .read(key(imageId))
            .filter(found -> Arrays.equals(found, content))
            .isPresent();
  }

  private static byte[] content(String imageId, String model) {
    try {
      return JSON.writeValueAsBytes(
          new TreeMap<>(
              Map.of(
                  "image_id",
                  imageId,
                  "model",
                  model,
                  "at",
                  Instant.now().toString(),
                  "by",
                  UUID.randomUUID().toString())));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings always have a JSON form", e);
    }
  }

  /** When this run recorded a request for an image whose answer is not known. */
  public Optional<Instant> noted(String imageId) {
    return store.find(key(imageId)).map(FoundObject::modified);
  }

  /** Deletes the record of a request whose answer is stored, or need not be. */
  public void settle(String imageId) {
    store.delete(key(imageId));
  }

  /**
   * All requests of an output without a known answer.
   *
   * @param only attempts at this run; empty for all runs
   */
  public static List<Open> open(ImageStore store, Optional<RunAttempt> only) {
    return store.listing().objects(DIRECTORY).stream()
        .map(SentRequests::open)
        .flatMap(Optional::stream)
        .filter(each -> only.isEmpty() || each.isOf(only.get()))
        .toList();
  }

  private static Optional<Open> open(ListedObject object) {
    String name = object.key().substring(object.key().lastIndexOf('/') + 1);
    return name.matches("[0-9a-f]{32}\\.json")
        ? Optional.of(
            new Open(object.key(), name.substring(0, name.indexOf('.')), object.modified()))
        : Optional.empty();
  }

  /** Deletes the records of requests whose outcomes are in a committed manifest. */
  public static void forget(ImageStore store, List<Open> requests) {
    if (!requests.isEmpty()) {
      store.removal().objects(requests.stream().map(Open::key).toList());
    }
  }
}
