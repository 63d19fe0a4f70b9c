package io.lightmill.udfs.draw;

import io.lightmill.pipeline.BatchWork;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.Verdict;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.device.BrokenDeviceException;
import io.lightmill.udfs.device.ExecutorExit;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.TaskDevice;
import io.lightmill.udfs.earlier.EarlierImages;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.manifest.ScreeningJson;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.manifest.VerdictJson;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.progress.DrawingBegun;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.progress.ProgressPlugin;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.ImageStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The work of one task: draws its chunks on its device, and finishes images on other threads. */
final class PartitionWork implements Chunks.Sizes, TaskCompletionListener {

  /** Four threads encode 1024×1024 images faster than any GPU draws them. */
  private static final int MAX_THREADS = 4;

  private static final Logger LOG = LoggerFactory.getLogger(PartitionWork.class);
  private static final RepeatedErrors ERRORS = new RepeatedErrors(LOG::error);

  private final Iterator<OnDevice> devices;
  private final ImageFinisher finisher;
  private final ExecutorService threads;
  private final DrawingStop stop;
  private final boolean local;
  private final int partition;
  private final boolean triedBefore;
  private final Batching batching;
  private final DrawingCounters counters;
  private final Thumbnails thumbnails;
  private final HostedImages hosted;
  private final AtomicLong failed = new AtomicLong();
  private final DrawingPace pace = new DrawingPace();
  private OnDevice device;
  private boolean stopped;

  /** A device, the drawing on it, and the rows of what it draws. */
  private record OnDevice(Device device, BatchDrawing drawing, ManifestRows manifest) {}

  /** The rows of one image, and those of the images of a batch. */
  private record Batch(String key, List<List<Row>> images) {

    private BatchDrawing.KeyedBatch requests() {
      return new BatchDrawing.KeyedBatch(
          key, images.stream().map(rows -> PlannedImages.request(rows.get(0))).toList());
    }
  }

  PartitionWork(GenerationJob job, TaskContext task) {
    this.batching = job.batching();
    this.counters = job.counters();
    this.thumbnails = job.thumbnails();
    this.devices =
        (job.hosted() == null ? TaskDevice.candidates(job.cluster(), task) : List.of(Device.HOSTED))
            .stream().map(candidate -> onDevice(job, task, candidate)).iterator();
    this.device = devices.next();
    this.finisher =
        new ImageFinisher(
            job.identity(),
            new ImageEncoding(job.identity(), job.guidance(), job.marking()),
            ImageStore.open(job.output(), job.hadoop().value()),
            job.own(),
            job.packing() != null,
            job.quarantine());
    this.stop = job.stop();
    this.local = job.cluster().local();
    this.partition = task.partitionId();
    // Files that show no prompt do not say what checks found in it.
    boolean complete =
        job.identity().model().checks().isEmpty() || job.marking().prompts() == PromptMetadata.FULL;
    this.triedBefore = complete && triedBefore(job, task);
    this.hosted =
        job.hosted() == null ? null : new HostedImages(job, triedBefore(job, task), finisher);
    this.threads =
        Executors.newFixedThreadPool(
            job.hosted() == null
                ? Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors())
                : job.hosted().atOnce());
  }

  /** Whether another attempt may have begun the work of this task. */
  private static boolean triedBefore(GenerationJob job, TaskContext task) {
    return job.repeated() || task.attemptNumber() > 0 || task.stageAttemptNumber() > 0;
  }

  private static OnDevice onDevice(GenerationJob job, TaskContext task, Device device) {
    BatchDrawing drawing =
        new BatchDrawing(
            LoadedPipelines.slot(device),
            job.loader(),
            job.threadsPerImage(),
            job.batching().batchSize(),
            () -> ProgressPlugin.send(new DrawingBegun(job.stop().run())));
    return new OnDevice(device, drawing, new ManifestRows(job, device, task));
  }

  @Override
  public int batch(String batchKey, int ahead) {
    return device.drawing().batchSize(batchKey, ahead);
  }

  @Override
  public int chunk(Row first) {
    return batching.chunk(first);
  }

  /** Draws a chunk. Its manifest rows are complete when its images are stored. */
  OverlappedBatches.Finishing start(List<List<Row>> chunk) throws InterruptedException {
    String firstKey = chunk.get(0).get(0).getAs(PlannedImages.BATCH_KEY);
    if (firstKey == null) {
      List<Row> rows =
          chunk.stream()
              .flatMap(List::stream)
              .map(row -> manifestRow(device.manifest(), row, undrawn(row), Optional.empty()))
              .toList();
      return () -> rows;
    }
    List<Row> finished = new ArrayList<>();
    List<Batch> batches = new ArrayList<>();
    for (List<Row> batch : chunk) {
      List<List<Row>> images = missing(batch, finished);
      if (!images.isEmpty()) {
        batches.add(new Batch(batch.get(0).getAs(PlannedImages.BATCH_KEY), images));
      }
    }
    stopped =
        stopped || (!batches.isEmpty() && reached(pace.begin(batches.get(0).images().size())));
    List<Future<List<Row>>> finishing =
        stopped || batches.isEmpty()
            ? leftOut(batches, finished)
            : hosted == null ? drawn(batches, finished) : requested(batches);
    return () -> {
      finished.addAll(awaited(finishing));
      return finished;
    };
  }

  /**
   * The images of a batch that no other attempt at this task has stored.
   *
   * @param finished receives the rows of the others
   */
  private List<List<Row>> missing(List<Row> batch, List<Row> finished) {
    List<List<Row>> images = new ArrayList<>();
    for (List<Row> rows : byImage(batch)) {
      Optional<List<Outcome>> found = triedBefore ? finisher.found(rows) : Optional.empty();
      found.ifPresentOrElse(
          outcomes ->
              finished.addAll(manifestRows(device.manifest(), rows, outcomes, Optional.empty())),
          () -> images.add(rows));
    }
    return images;
  }

  /** Requests the images of a hosted model, several at once; each is stored when it arrives. */
  private List<Future<List<Row>>> requested(List<Batch> batches) {
    List<Future<List<Row>>> finishing = new ArrayList<>();
    for (Batch batch : batches) {
      for (List<Row> rows : batch.images()) {
        finishing.add(threads.submit(() -> requestedRows(batch.key(), rows)));
      }
    }
    return finishing;
  }

  private List<Row> requestedRows(String batchKey, List<Row> rows) throws Exception {
    AtomicReference<DrawnImage> answer = new AtomicReference<>();
    List<Outcome> outcomes =
        hosted.outcomes(
            rows,
            () -> {
              answer.set(requested(batchKey, rows));
              return answer.get();
            });
    return manifestRows(
        device.manifest(),
        rows,
        outcomes,
        Optional.ofNullable(answer.get()).flatMap(drawn -> thumbnail(outcomes, rows, drawn)));
  }

  private DrawnImage requested(String batchKey, List<Row> rows) throws InterruptedException {
    return device
        .drawing()
        .draw(
            List.of(
                new BatchDrawing.KeyedBatch(batchKey, List.of(PlannedImages.request(rows.get(0))))),
            () -> true,
            (images, work) -> {})
        .get(0)
        .get(0);
  }

  private boolean reached(Duration expected) {
    return stop.reached(expected, partition, failed.get());
  }

  /** Leaves all images pending. */
  private List<Future<List<Row>>> leftOut(List<Batch> batches, List<Row> finished) {
    batches.forEach(batch -> batch.images().forEach(rows -> leaveOut(rows, finished)));
    return List.of();
  }

  private void leaveOut(List<Row> rows, List<Row> finished) {
    rows.forEach(
        row -> finished.add(device.manifest().row(row, Outcome.pending(), Optional.empty())));
  }

  /**
   * Draws batches. If the device is broken, the task fails and the executor ends. In local mode,
   * which has no other executor, the work goes on with another device; if all are broken, it is
   * stopped.
   *
   * @param finished receives the rows of images that are left out
   */
  private List<Future<List<Row>>> drawn(List<Batch> batches, List<Row> finished)
      throws InterruptedException {
    while (true) {
      try {
        return drawnOnDevice(batches, finished);
      } catch (BrokenDeviceException e) {
        if (!local) {
          ExecutorExit.PROCESS.begin(e);
          throw e;
        }
        if (!devices.hasNext()) {
          ERRORS.add("The images of a partition stay pending", e);
          stopped = true;
          return leftOut(batches, finished);
        }
        device = devices.next();
        ERRORS.add("The images of a partition are drawn on another device", e);
      }
    }
  }

  private List<Future<List<Row>>> drawnOnDevice(List<Batch> batches, List<Row> finished)
      throws InterruptedException {
    int images = batches.stream().mapToInt(batch -> batch.images().size()).sum();
    int largest = batches.stream().mapToInt(batch -> batch.images().size()).max().orElseThrow();
    AtomicReference<BatchWork> work = new AtomicReference<>(BatchWork.NONE);
    long start = System.nanoTime();
    Iterator<List<DrawnImage>> drawn =
        device
            .drawing()
            .draw(
                batches.stream().map(Batch::requests).toList(),
                () -> !reached(pace.goOn(largest, images)),
                (count, more) -> {
                  pace.drew(count, more);
                  work.updateAndGet(more::plus);
                })
            .iterator();
    pace.drewChunk(images, Duration.ofNanos(System.nanoTime() - start), work.get().load());
    counters.add(work.get());
    List<Future<List<Row>>> finishing = new ArrayList<>();
    ManifestRows manifest = device.manifest(); // the next chunk may be drawn elsewhere
    for (Batch batch : batches) {
      Iterator<DrawnImage> each = drawn.next().iterator();
      for (List<Row> rows : batch.images()) {
        DrawnImage image = each.next();
        if (image.isLeftOut()) {
          stopped = true;
          leaveOut(rows, finished);
        } else {
          finishing.add(
              threads.submit(
                  () -> {
                    List<Outcome> outcomes = finisher.finish(rows, image);
                    return manifestRows(manifest, rows, outcomes, thumbnail(outcomes, rows, image));
                  }));
        }
      }
    }
    return finishing;
  }

  /** A small copy of an image that is stored. */
  private Optional<byte[]> thumbnail(List<Outcome> outcomes, List<Row> rows, DrawnImage drawn) {
    return outcomes.get(0).status() == ImageStatus.GENERATED
        ? thumbnails.of(ManifestColumns.IMAGE_ID.of(rows.get(0)), drawn.image())
        : Optional.empty();
  }

  private List<Row> manifestRows(
      ManifestRows manifest, List<Row> rows, List<Outcome> outcomes, Optional<byte[]> thumbnail) {
    Iterator<Outcome> each = outcomes.iterator();
    return rows.stream().map(row -> manifestRow(manifest, row, each.next(), thumbnail)).toList();
  }

  private Row manifestRow(
      ManifestRows manifest, Row planned, Outcome outcome, Optional<byte[]> thumbnail) {
    if (outcome.status().isFailure()) {
      failed.incrementAndGet();
    }
    return manifest.row(planned, outcome, thumbnail);
  }

  private Outcome undrawn(Row planned) {
    String refused = ManifestColumns.ERROR_CODE.of(planned);
    if (refused != null) { // also where an earlier run has drawn the image, under another policy
      return Outcome.refused(refused, ManifestColumns.ERROR_MESSAGE.of(planned));
    }
    Row earlier = planned.getAs(EarlierImages.EARLIER);
    DrawingFacts facts = // verdicts of rules are given anew by each run
        DrawingFacts.ofVerdicts(
                VerdictJson.read(ManifestColumns.VERDICTS.of(earlier)).stream()
                    .filter(
                        verdict ->
                            verdict.score().isPresent()
                                || verdict.stage() == Verdict.Stage.PROVIDER)
                    .toList())
            .with(ScreeningJson.read(ManifestColumns.SCORES.of(earlier)));
    return switch (ImageStatus.labelled(ManifestColumns.STATUS.of(earlier))) {
      case UNCERTAIN ->
          Outcome.uncertainBefore(
              ManifestColumns.ERROR_CODE.of(earlier), ManifestColumns.ERROR_MESSAGE.of(earlier));
      case FAILED ->
          Outcome.failedBefore(
              ManifestColumns.ERROR_CODE.of(earlier), ManifestColumns.ERROR_MESSAGE.of(earlier));
      case BLOCKED -> Outcome.blocked(null, facts, null);
      default -> reused(planned, StoredImage.read(earlier)).with(facts);
    };
  }

  private Outcome reused(Row planned, StoredImage image) {
    return StagedImages.include(image.path())
        ? finisher.taken(planned, image)
        : Outcome.reused(image);
  }

  private static List<List<Row>> byImage(List<Row> batch) {
    Map<String, List<Row>> images =
        batch.stream()
            .collect(
                Collectors.groupingBy(
                    ManifestColumns.IMAGE_ID::<String>of, LinkedHashMap::new, Collectors.toList()));
    return List.copyOf(images.values());
  }

  private static List<Row> awaited(List<Future<List<Row>>> finishing) throws InterruptedException {
    List<Row> rows = new ArrayList<>();
    for (Future<List<Row>> image : finishing) {
      try {
        rows.addAll(image.get());
      } catch (ExecutionException e) { // the store is away, or a defect: errors of images are rows
        throw ExceptionUtils.<RuntimeException>rethrow(e.getCause());
      }
    }
    return rows;
  }

  @Override
  public void onTaskCompletion(TaskContext ended) {
    threads.shutdownNow();
    stop.ended(partition, failed.get());
  }
}
