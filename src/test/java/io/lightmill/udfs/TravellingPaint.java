package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.PipelineLoader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.TaskContext;

/**
 * The paint studio's images, painted in whatever JVM the tasks are in, on any device that it says
 * it is. What happens there is written down in a directory that all processes see.
 *
 * @param directory of the notes; one for each job
 * @param throwing the prompt whose task dies when it is to be painted for the first time; empty for
 *     none
 * @param slow the prompt whose task does not get on once it is to paint it, until a twin of the
 *     task has painted it too, and then not with the next batch either; empty for none
 * @param breaking batches that one place paints before its device fails for good; 0 for none
 * @param gated whether nothing is painted before somebody opens the gate
 */
record TravellingPaint(String directory, String throwing, String slow, int breaking, boolean gated)
    implements PipelineLoader {

  private static final String LOADED = "loaded";
  private static final String PAINTED = "painted";
  private static final String COUNTING = "counting";
  private static final String GATE = "gate";
  private static final String SLOWED = "slowed";
  private static final String TWIN = "twin";
  private static final String THROWN = "thrown";
  private static final String BROKEN = "broken";

  /** Where a model was loaded. */
  record Place(long process, String device) {}

  /** A prompt, and where it was painted. */
  record Stroke(String prompt, Place place, int partition) {}

  static TravellingPaint plain(Path directory) {
    return new TravellingPaint(directory.toString(), "", "", 0, false);
  }

  TravellingPaint behindGate() {
    return new TravellingPaint(directory, throwing, slow, breaking, true);
  }

  TravellingPaint breakingAfter(int batches) {
    return new TravellingPaint(directory, throwing, slow, batches, gated);
  }

  /** Where the device failed for good; empty if none did. */
  List<Place> broken() {
    return lines(BROKEN).stream().map(TravellingPaint::place).toList();
  }

  JobCheckpoint checkpoint() {
    return new JobCheckpoint(PaintStudio.MODEL, PaintStudio.LIMITS, this);
  }

  void openGate() {
    create(GATE, "");
  }

  /** Once for each load, in any JVM. */
  List<Place> loads() {
    return lines(LOADED).stream().map(TravellingPaint::place).toList();
  }

  /** Everything that was begun to be painted, in order. */
  List<Stroke> strokes() {
    return lines(PAINTED).stream()
        .map(line -> line.split("\t", -1))
        .map(
            part -> new Stroke(part[3], place(part[0] + "\t" + part[1]), Integer.parseInt(part[2])))
        .toList();
  }

  /** How many GPUs each task had that counted the tokens of prompts. */
  List<String> gpusWhileCounting() {
    return lines(COUNTING);
  }

  /** Whether a second attempt at the slow task has painted beside the first. */
  boolean twinned() {
    return Files.exists(file(TWIN));
  }

  boolean thrown() {
    return Files.exists(file(THROWN));
  }

  @Override
  public String key() {
    return toString();
  }

  @Override
  public PromptLength promptLength() {
    append(COUNTING, "" + TaskContext.get().resourcesJMap().size());
    return new PaintStudio.Words();
  }

  @Override
  public DiffusionPipeline load(Device device) {
    String place = ProcessHandle.current().pid() + "\t" + device.name();
    append(LOADED, place);
    return new Painter(this, place, new AtomicInteger());
  }

  private record Painter(TravellingPaint paint, String place, AtomicInteger batches)
      implements DiffusionPipeline {

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      List<String> prompts = batch.stream().map(ImageRequest::prompt).toList();
      try {
        if (paint.gated) {
          paint.await(GATE);
        }
        if (paint.breaking > 0) {
          if (batches.incrementAndGet() > paint.breaking) {
            paint.create(BROKEN, place); // the first place to get there
          }
          requireWorkingDevice();
          awaitEndOfBrokenProcess();
        }
        paint.append(
            PAINTED,
            String.join(
                "\n",
                prompts.stream()
                    .map(prompt -> place + "\t" + TaskContext.getPartitionId() + "\t" + prompt)
                    .toList()));
        if (prompts.contains(paint.throwing) && paint.create(THROWN, "")) {
          throw new AssertionError("injected");
        }
        dawdle(prompts.contains(paint.slow), "" + TaskContext.get().taskAttemptId());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("killed while painting", e);
      }
      return batch.stream().map(PaintStudio::painted).toList();
    }

    /** Nothing is painted between the failure of a device and the end of its process. */
    private void awaitEndOfBrokenProcess() throws InterruptedException {
      for (Place broken : paint.broken()) {
        if (broken.process() == ProcessHandle.current().pid()) {
          paint.await("never: this process ends");
        }
        ProcessHandle.of(broken.process()).ifPresent(process -> process.onExit().join());
      }
    }

    private void dawdle(boolean slow, String attempt) throws InterruptedException {
      if (slow) {
        if (paint.create(SLOWED, attempt)) {
          paint.await(TWIN);
        } else {
          paint.create(TWIN, attempt);
        }
      } else if (paint.lines(SLOWED).contains(attempt)) {
        paint.await("never: its twin ends first, and this one is killed");
      }
    }

    @Override
    public void requireWorkingDevice() {
      if (paint.lines(BROKEN).contains(place)) {
        throw new IllegalStateException("CUDA error: device-side assert triggered");
      }
    }

    @Override
    public void close() {}
  }

  private static Place place(String line) {
    String[] parts = line.split("\t", -1);
    return new Place(Long.parseLong(parts[0]), parts[1]);
  }

  private Path file(String name) {
    return Path.of(directory, name);
  }

  private List<String> lines(String name) {
    try {
      return Files.exists(file(name)) ? Files.readAllLines(file(name)) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One write, at the end of the file whoever else writes. */
  private void append(String name, String lines) {
    try {
      Files.write(
          file(name),
          (lines + "\n").getBytes(UTF_8),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether it was not there yet. */
  private boolean create(String name, String content) {
    try {
      Files.write(file(name), content.getBytes(UTF_8), StandardOpenOption.CREATE_NEW);
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void await(String name) throws InterruptedException {
    try (WatchService watch = Path.of(directory).getFileSystem().newWatchService()) {
      Path.of(directory).register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      while (!Files.exists(file(name))) {
        WatchKey created = watch.take();
        created.pollEvents();
        created.reset();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
