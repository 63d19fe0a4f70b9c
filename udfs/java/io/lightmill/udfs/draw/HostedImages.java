package io.lightmill.udfs.draw;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.hosted.SendLog;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.hosted.SentRequests;
import io.lightmill.udfs.manifest.DeviceMillis;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.store.ImageStore;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.sql.Row;

/**
 * Requests images of a hosted model, each once: a request is recorded in the store before it is
 * sent ({@link SentRequests}), and if another attempt at the task has recorded one for an image,
 * this attempt waits for that image. Safe for several threads.
 */
final class HostedImages {

  private static final Duration POLL = Duration.ofMillis(500);

  private final SentRequests requests;
  private final HostedSending sending;
  private final Instant since;
  private final boolean triedBefore;
  private final ImageFinisher finisher;

  /**
   * @param triedBefore whether an earlier attempt may have requested images of this task
   */
  HostedImages(GenerationJob job, boolean triedBefore, ImageFinisher finisher) {
    this.requests =
        new SentRequests(ImageStore.open(job.output(), job.hadoop().value()), job.runId());
    this.sending = job.hosted();
    this.since = job.own().since().truncatedTo(ChronoUnit.SECONDS); // as stores date objects
    this.triedBefore = triedBefore;
    this.finisher = finisher;
  }

  /** The request for one image, and whether it is recorded. */
  private final class Request {

    private final String imageId;
    private boolean noted;
    private boolean foreign;

    Request(String imageId) {
      this.imageId = imageId;
    }

    private void note() {
      if (!requests.note(imageId, sending.model(), noted) && !replaced()) {
        foreign = true;
        throw new LightmillException(
            ErrorCode.PROVIDER_ANSWER_LOST, "another attempt at this task requests the image");
      }
      noted = true;
    }

    /** Replaces the record of an earlier run, whose request this run repeats. */
    private boolean replaced() {
      return requests.noted(imageId).filter(modified -> modified.isBefore(since)).isPresent()
          && requests.note(imageId, sending.model(), true);
    }
  }

  /** When another attempt of this run recorded a request. */
  private Optional<Instant> notedBefore(String imageId) {
    return requests.noted(imageId).filter(modified -> !modified.isBefore(since));
  }

  /**
   * The outcome of one image.
   *
   * @param rows of the image
   * @param drawing sends the request and waits for the answer
   */
  List<Outcome> outcomes(List<Row> rows, Callable<DrawnImage> drawing) throws Exception {
    Request request = new Request(ManifestColumns.IMAGE_ID.of(rows.get(0)));
    if (triedBefore && notedBefore(request.imageId).isPresent()) {
      Optional<List<Outcome>> awaited = awaited(rows, request.imageId);
      if (awaited.isPresent()) {
        return awaited.get();
      }
    }
    DrawnImage image = SendLog.noted(request::note, drawing);
    if (request.foreign) {
      Optional<List<Outcome>> awaited = awaited(rows, request.imageId);
      return awaited.isPresent() ? awaited.get() : outcomes(rows, drawing);
    }
    List<Outcome> outcomes = finisher.finish(rows, image);
    if (request.noted && outcomes.get(0).status() != ImageStatus.UNCERTAIN) {
      requests.settle(request.imageId);
    }
    return outcomes;
  }

  /**
   * Waits for the image that another attempt has requested.
   *
   * @return its outcome; empty if the other attempt got no image and needs none
   */
  private Optional<List<Outcome>> awaited(List<Row> rows, String imageId)
      throws InterruptedException {
    while (true) {
      Optional<List<Outcome>> found = finisher.found(rows);
      if (found.isPresent()) {
        return found;
      }
      Optional<Instant> noted = notedBefore(imageId);
      if (noted.isEmpty()) {
        return finisher.found(rows); // it may have been stored since
      }
      if (Duration.between(noted.get(), Instant.now()).compareTo(sending.longest()) > 0) {
        Outcome lost =
            Outcome.failed(
                new LightmillException(
                    ErrorCode.PROVIDER_ANSWER_LOST,
                    "an executor ended after it sent the request at %s, and the image may have been paid; --retry-uncertain sends the request again"
                        .formatted(noted.get())),
                DeviceMillis.NONE);
        return Optional.of(rows.stream().map(row -> lost.with(DrawingFacts.NONE)).toList());
      }
      Thread.sleep(POLL.toMillis());
    }
  }
}
