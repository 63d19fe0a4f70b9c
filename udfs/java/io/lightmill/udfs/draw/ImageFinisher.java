package io.lightmill.udfs.draw;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.earlier.AttemptImages;
import io.lightmill.udfs.earlier.ReadReceipts;
import io.lightmill.udfs.manifest.DeviceMillis;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.plan.ImageIdentity;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.FoundObject;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.store.StoredObject;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.sql.Row;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Encodes and stores drawn images, and gives their outcomes. Safe for several threads. */
final class ImageFinisher {

  private static final Logger LOG = LoggerFactory.getLogger(ImageFinisher.class);
  private static final double NANOS_PER_MILLI = 1e6;

  private final ImageIdentity identity;
  private final ImageEncoding encoding;
  private final ImageStore store;
  private final AttemptImages attempt;
  private final boolean packing;
  private final String quarantine;
  private final Optional<PaidImages> paid;

  /**
   * @param packing whether images are staged, to be packed later
   * @param quarantine directory for blocked images; null to store none
   */
  ImageFinisher(
      ImageIdentity identity,
      ImageEncoding encoding,
      ImageStore store,
      AttemptImages attempt,
      boolean packing,
      String quarantine) {
    this.identity = identity;
    this.encoding = encoding;
    this.store = store;
    this.attempt = attempt;
    this.packing = packing;
    this.quarantine = quarantine;
    this.paid =
        identity.model().hosted()
            ? Optional.of(new PaidImages(store, identity.format()))
            : Optional.empty();
  }

  /**
   * Finds an image that another attempt at this task has stored.
   *
   * @param rows of one image, at least one
   * @return the outcome of each row, in order; empty if the image is to be drawn
   */
  Optional<List<Outcome>> found(List<Row> rows) {
    Map<String, StoredImage> byKey = new HashMap<>();
    List<Outcome> outcomes = new ArrayList<>();
    for (Row row : rows) {
      String key = row.getAs(PlannedImages.KEY);
      StoredImage first = byKey.get(key);
      if (first != null) {
        outcomes.add(Outcome.reused(first));
        continue;
      }
      Optional<FoundObject> object =
          store
              .find(storeKey(row))
              .filter(it -> attempt.include(ManifestColumns.IMAGE_ID.of(row), it));
      if (object.isEmpty()) {
        return Optional.empty();
      }
      byte[] bytes = object.get().bytes();
      byKey.put(key, image(row, bytes.length, DigestUtils.sha256Hex(bytes), null));
      outcomes.add(Outcome.generatedBefore(byKey.get(key)).with(ReadReceipts.facts(bytes)));
    }
    return Optional.of(outcomes);
  }

  /**
   * Reuses an image that a killed run has staged and not packed.
   *
   * @param row of the image
   */
  Outcome taken(Row row, StoredImage staged) {
    if (packing) {
      return Outcome.reused(image(row, staged.bytes(), staged.sha256(), staged.blank()));
    }
    try {
      byte[] bytes =
          store
              .read(staged.path())
              .orElseThrow(
                  () ->
                      new LightmillException(
                          ErrorCode.STORE_FAILED,
                          "staged image '%s' no longer exists; run again"
                              .formatted(staged.path())));
      return stored(List.of(row), bytes, staged.blank(), DrawingFacts.NONE, DeviceMillis.NONE, 0)
          .get(0)
          .reused();
    } catch (LightmillException e) {
      requireStore(e);
      return Outcome.failed(e, null);
    }
  }

  /** Such failures are those of the task, and not of its images. */
  private static void requireStore(LightmillException failure) {
    boolean killed = ExceptionUtils.indexOfType(failure, InterruptedIOException.class) >= 0;
    if (failure.code() == ErrorCode.STORE_UNAVAILABLE || killed) {
      throw failure;
    }
  }

  /** The key under which the image of a row is stored. */
  private String storeKey(Row row) {
    return packing
        ? StagedImages.key(ManifestColumns.IMAGE_ID.of(row), identity.format())
        : row.getAs(PlannedImages.KEY);
  }

  private StoredImage image(Row row, long bytes, String sha256, Boolean blank) {
    String key = row.getAs(PlannedImages.KEY);
    return packing
        ? StoredImage.staged(storeKey(row), PathTemplate.name(key), bytes, sha256, blank)
        : StoredImage.object(key, bytes, sha256, blank);
  }

  /**
   * Finishes one image. It is stored once under each key of its rows; of rows with the same key,
   * the first is the generated one and the others reuse it.
   *
   * @param rows of one image, at least one
   * @return the outcome of each row, in order
   * @throws LightmillException with {@code STORE_UNAVAILABLE} if the store did not respond for too
   *     long, which is no failure of the image
   */
  List<Outcome> finish(List<Row> rows, DrawnImage drawn) {
    if (drawn.failure() != null) {
      Outcome failed = Outcome.failed(drawn.failure(), drawn.millis()).with(drawn.facts());
      return rows.stream().map(row -> failed).toList();
    }
    try {
      if (drawn.facts().isBlocked()) {
        Outcome blocked =
            Outcome.blocked(quarantined(rows.get(0), drawn), drawn.facts(), drawn.millis());
        return rows.stream().map(row -> blocked).toList();
      }
      return encodedAndStored(rows, drawn);
    } catch (LightmillException e) {
      requireStore(e);
      LOG.warn("A drawn image could not be stored: {}", e.getMessage());
      Outcome failed =
          Outcome.failed(e, drawn.millis()).with(DrawingFacts.ofCost(drawn.facts().cost()));
      return rows.stream().map(row -> failed).toList();
    }
  }

  private List<Outcome> encodedAndStored(List<Row> rows, DrawnImage drawn) {
    long start = System.nanoTime();
    byte[] bytes = encoded(rows.get(0), drawn);
    double encodeMillis = millisSince(start);
    Supplier<List<Outcome>> storing =
        () ->
            stored(
                rows, bytes, drawn.image().isBlank(), drawn.facts(), drawn.millis(), encodeMillis);
    if (paid.isEmpty()) {
      return storing.get();
    }
    try {
      return paid.get().stored(storing);
    } catch (LightmillException e) {
      requireStore(e);
      throw paid.get().kept(e, ManifestColumns.IMAGE_ID.of(rows.get(0)), bytes);
    }
  }

  private byte[] encoded(Row row, DrawnImage drawn) {
    return encoding.encoded(PlannedImages.request(row), drawn.facts(), drawn.image());
  }

  /** Stores a blocked image apart from all others; null if it is not to be stored. */
  private StoredImage quarantined(Row row, DrawnImage drawn) {
    if (quarantine == null || drawn.image() == null) {
      return null;
    }
    String key =
        "%s/%s.%s"
            .formatted(quarantine, ManifestColumns.IMAGE_ID.of(row), identity.format().extension());
    StoredObject object =
        store.putOnce(
            key,
            encoded(row, drawn),
            identity.format().contentType(),
            found -> true); // of an earlier run, or of another attempt
    return StoredImage.object(key, object.bytes(), object.sha256(), drawn.image().isBlank());
  }

  private List<Outcome> stored(
      List<Row> rows,
      byte[] bytes,
      Boolean blank,
      DrawingFacts facts,
      DeviceMillis device,
      double encodeMillis) {
    Map<String, Outcome> byKey = new HashMap<>();
    List<Outcome> outcomes = new ArrayList<>();
    for (Row row : rows) {
      String key = row.getAs(PlannedImages.KEY);
      Outcome first = byKey.get(key);
      if (first == null) {
        long start = System.nanoTime();
        String imageId = ManifestColumns.IMAGE_ID.of(row);
        StoredObject object =
            store.putOnce(
                storeKey(row),
                bytes,
                identity.format().contentType(),
                found -> attempt.include(imageId, found));
        first =
            Outcome.generated(
                image(row, object.bytes(), object.sha256(), blank),
                facts,
                byKey.isEmpty() ? device : DeviceMillis.NONE,
                byKey.isEmpty() ? encodeMillis : 0,
                millisSince(start));
        byKey.put(key, first);
        outcomes.add(first);
      } else {
        outcomes.add(first.reused());
      }
    }
    return outcomes;
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / NANOS_PER_MILLI;
  }
}
