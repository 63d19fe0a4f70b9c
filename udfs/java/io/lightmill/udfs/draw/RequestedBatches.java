package io.lightmill.udfs.draw;

import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.sql.Row;

/**
 * Requests batches from a hosted model: several images at once, each of which is stored when it
 * arrives.
 *
 * @param images requests each image once
 * @param drawing sends the requests
 * @param threads as many as there may be requests at once
 */
record RequestedBatches(
    HostedImages images,
    BatchDrawing drawing,
    ManifestRows manifest,
    FinishedRows finished,
    ExecutorService threads) {

  /** The manifest rows of all images, which follow when their answers are stored. */
  List<Future<List<Row>>> of(List<PlannedBatch> batches) {
    List<Future<List<Row>>> finishing = new ArrayList<>();
    for (PlannedBatch batch : batches) {
      for (List<Row> rows : batch.images()) {
        finishing.add(threads.submit(() -> requested(batch.key(), rows)));
      }
    }
    return finishing;
  }

  private List<Row> requested(String batchKey, List<Row> rows) throws Exception {
    AtomicReference<DrawnImage> answer = new AtomicReference<>();
    List<Outcome> outcomes =
        images.outcomes(
            rows,
            () -> {
              answer.set(sent(batchKey, rows));
              return answer.get();
            });
    return answer.get() == null
        ? finished.of(manifest, rows, outcomes)
        : finished.of(manifest, rows, outcomes, answer.get());
  }

  private DrawnImage sent(String batchKey, List<Row> rows) throws InterruptedException {
    return drawing
        .draw(
            List.of(
                new BatchDrawing.KeyedBatch(batchKey, List.of(PlannedImages.request(rows.get(0))))),
            () -> true,
            (images, work) -> {})
        .get(0)
        .get(0);
  }
}
