package io.lightmill.pipeline;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/**
 * The result for one batch of a chunk: a result for each image; a failure of the batch as a whole;
 * or neither, if the batch was left out.
 *
 * @param images one for each request, in order; empty if there is none
 * @param failure of the batch
 * @param work that the batch took, failed attempts included
 */
public record BatchResult(
    List<ImageResult> images, Optional<RuntimeException> failure, BatchWork work) {

  public BatchResult {
    images = List.copyOf(images);
  }

  public static BatchResult drawn(List<ImageResult> images, BatchWork work) {
    return new BatchResult(images, Optional.empty(), work);
  }

  /**
   * The result of a batch that failed as a whole.
   *
   * @throws RuntimeException the failure, if the thread is interrupted: the batch is not the cause,
   *     and no other may begin
   */
  public static BatchResult failed(RuntimeException failure, BatchWork work) {
    if (failure instanceof CancellationException || Thread.currentThread().isInterrupted()) {
      throw failure;
    }
    return new BatchResult(List.of(), Optional.of(failure), work);
  }

  /** Of a batch that was not drawn, since the chunk was to end before it. */
  public static BatchResult leftOut(BatchWork work) {
    return new BatchResult(List.of(), Optional.empty(), work);
  }

  public boolean isLeftOut() {
    return images.isEmpty() && failure.isEmpty();
  }

  /** The images; throws the failure if there is one. */
  public List<ImageResult> orElseThrow() {
    failure.ifPresent(
        e -> {
          throw e;
        });
    return images;
  }
}
