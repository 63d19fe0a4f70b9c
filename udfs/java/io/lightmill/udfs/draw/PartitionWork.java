package io.lightmill.udfs.draw;

import io.lightmill.pipeline.BatchWork;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.udfs.device.BrokenDeviceException;
import io.lightmill.udfs.device.ExecutorExit;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.TaskDevice;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.progress.DrawingBegun;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.progress.ProgressPlugin;
import io.lightmill.udfs.store.ImageStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The work of one task: draws its chunks on its device, and finishes images on other threads. */
final class PartitionWork implements Chunks.Sizes, TaskCompletionListener {

  /**
   * Four threads encode 1024×1024 images faster than any GPU draws them. On a CPU they mostly wait
   * for the store.
   */
  private static final int THREADS = 4;

  /**
   * Images that may be drawn and not stored: enough for a store that takes three times as long for
   * an image as the device, and few, since they are drawn again if the process is killed.
   */
  private static final int UNFINISHED = 4;

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
  private final FinishedRows rows;
  private final UndrawnOutcomes undrawn;
  private final Optional<RequestedBatches> hosted;
  private final DrawingPace pace = new DrawingPace();
  private OnDevice device;
  private boolean stopped;

  /** A device, the drawing on it, and the rows of what it draws. */
  private record OnDevice(Device device, BatchDrawing drawing, ManifestRows manifest) {}

  PartitionWork(GenerationJob job, TaskContext task) {
    this.batching = job.batching();
    this.counters = job.counters();
    this.rows = new FinishedRows(job.thumbnails());
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
    this.undrawn = new UndrawnOutcomes(finisher);
    this.stop = job.stop();
    this.local = job.cluster().local();
    this.partition = task.partitionId();
    // Files that show no prompt do not say what checks found in it.
    boolean complete =
        job.identity().model().checks().isEmpty() || job.marking().prompts() == PromptMetadata.FULL;
    this.triedBefore = complete && triedBefore(job, task);
    this.threads =
        Executors.newFixedThreadPool(job.hosted() == null ? THREADS : job.hosted().atOnce());
    this.hosted =
        Optional.ofNullable(job.hosted())
            .map(
                sending ->
                    new RequestedBatches(
                        new HostedImages(job, triedBefore(job, task), finisher),
                        device.drawing(),
                        device.manifest(),
                        rows,
                        threads));
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

  /** The manifest rows of a partition, whose chunks are drawn as their rows are needed. */
  Iterator<Row> rows(Iterator<Row> planned) {
    return new OverlappedBatches<>(
        new Chunks(planned, this),
        chunk -> chunk.stream().mapToInt(List::size).sum(),
        hosted.isPresent() ? 0 : UNFINISHED,
        this::start);
  }

  /** Draws a chunk. Its manifest rows are complete when its images are stored. */
  private OverlappedBatches.Finishing start(List<List<Row>> chunk) throws InterruptedException {
    String firstKey = chunk.get(0).get(0).getAs(PlannedImages.BATCH_KEY);
    if (firstKey == null) {
      List<Row> known =
          chunk.stream()
              .flatMap(List::stream)
              .map(row -> rows.of(device.manifest(), row, undrawn.of(row)))
              .toList();
      return new FinishingRows(known, List.of());
    }
    List<Row> finished = new ArrayList<>();
    List<PlannedBatch> batches = new ArrayList<>();
    for (List<Row> batch : chunk) {
      List<List<Row>> images = missing(batch, finished);
      if (!images.isEmpty()) {
        batches.add(new PlannedBatch(batch.get(0).getAs(PlannedImages.BATCH_KEY), images));
      }
    }
    stopped =
        stopped || (!batches.isEmpty() && reached(pace.begin(batches.get(0).images().size())));
    List<Future<List<Row>>> finishing =
        stopped || batches.isEmpty()
            ? leftOut(batches, finished)
            : hosted.isPresent() ? hosted.get().of(batches) : drawn(batches, finished);
    return new FinishingRows(finished, finishing);
  }

  /**
   * The images of a batch that no other attempt at this task has stored.
   *
   * @param finished receives the rows of the others
   */
  private List<List<Row>> missing(List<Row> batch, List<Row> finished) {
    List<List<Row>> images = new ArrayList<>();
    for (List<Row> image : byImage(batch)) {
      Optional<List<Outcome>> found = triedBefore ? finisher.found(image) : Optional.empty();
      found.ifPresentOrElse(
          outcomes -> finished.addAll(rows.of(device.manifest(), image, outcomes)),
          () -> images.add(image));
    }
    return images;
  }

  private boolean reached(Duration expected) {
    return stop.reached(expected, partition, rows.failures());
  }

  /** Leaves all images pending. */
  private List<Future<List<Row>>> leftOut(List<PlannedBatch> batches, List<Row> finished) {
    batches.forEach(batch -> batch.images().forEach(image -> leaveOut(image, finished)));
    return List.of();
  }

  private void leaveOut(List<Row> image, List<Row> finished) {
    image.forEach(row -> finished.add(rows.of(device.manifest(), row, Outcome.pending())));
  }

  /**
   * Draws batches. If the device is broken, the task fails and the executor ends. In local mode,
   * which has no other executor, the work continues on another device; if all are broken, it stops.
   *
   * @param finished receives the rows of images that are left out
   */
  private List<Future<List<Row>>> drawn(List<PlannedBatch> batches, List<Row> finished)
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

  private List<Future<List<Row>>> drawnOnDevice(List<PlannedBatch> batches, List<Row> finished)
      throws InterruptedException {
    int images = batches.stream().mapToInt(batch -> batch.images().size()).sum();
    int largest = batches.stream().mapToInt(batch -> batch.images().size()).max().orElseThrow();
    AtomicReference<BatchWork> work = new AtomicReference<>(BatchWork.NONE);
    long start = System.nanoTime();
    Iterator<List<DrawnImage>> drawn =
        device
            .drawing()
            .draw(
                batches.stream().map(PlannedBatch::requests).toList(),
                () -> !reached(pace.goOn(largest, images)),
                (count, attempt) -> {
                  pace.drew(count, attempt.work());
                  work.updateAndGet(attempt.work()::plus);
                  counters.add(count, attempt);
                })
            .iterator();
    pace.drewChunk(images, Duration.ofNanos(System.nanoTime() - start), work.get().load());
    counters.add(work.get());
    List<Future<List<Row>>> finishing = new ArrayList<>();
    ManifestRows manifest = device.manifest(); // the next chunk may be drawn elsewhere
    for (PlannedBatch batch : batches) {
      Iterator<DrawnImage> each = drawn.next().iterator();
      for (List<Row> image : batch.images()) {
        DrawnImage picture = each.next();
        if (picture.isLeftOut()) {
          stopped = true;
          leaveOut(image, finished);
        } else {
          finishing.add(
              threads.submit(
                  () -> rows.of(manifest, image, finisher.finish(image, picture), picture)));
        }
      }
    }
    return finishing;
  }

  private static List<List<Row>> byImage(List<Row> batch) {
    Map<String, List<Row>> images =
        batch.stream()
            .collect(
                Collectors.groupingBy(
                    ManifestColumns.IMAGE_ID::<String>of, LinkedHashMap::new, Collectors.toList()));
    return List.copyOf(images.values());
  }

  @Override
  public void onTaskCompletion(TaskContext ended) {
    threads.shutdownNow();
    stop.ended(partition, rows.failures());
  }
}
