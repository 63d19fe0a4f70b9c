package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PipelineLimits;
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
 * Loads pipelines without a network in any JVM and for any device, whether it exists or not, and
 * records loads and drawings in a directory that all processes can read.
 *
 * @param directory of the records; one for each job
 * @param throwing the prompt whose task fails when it is drawn for the first time; empty for none
 * @param slow the prompt whose task stops when it draws it, until a speculative attempt has drawn
 *     it too, and stops again at the next batch; empty for none
 * @param breaking batches that one place draws before its device fails for good; 0 for none
 * @param gated whether drawing waits until {@link #openGate} is called
 */
record RecordingLoader(String directory, String throwing, String slow, int breaking, boolean gated)
    implements PipelineLoader {

  private static final String LOADED = "loaded";
  private static final String DRAWN = "drawn";
  private static final String COUNTING = "counting";
  private static final String GATE = "gate";
  private static final String SLOWED = "slowed";
  private static final String TWIN = "twin";
  private static final String THROWN = "thrown";
  private static final String BROKEN = "broken";

  /** Where a model was loaded. */
  record Place(long process, String device) {}

  /** A prompt, and where it was drawn. */
  record Drawing(String prompt, Place place, int partition) {}

  static RecordingLoader plain(Path directory) {
    return new RecordingLoader(directory.toString(), "", "", 0, false);
  }

  RecordingLoader behindGate() {
    return new RecordingLoader(directory, throwing, slow, breaking, true);
  }

  RecordingLoader breakingAfter(int batches) {
    return new RecordingLoader(directory, throwing, slow, batches, gated);
  }

  /** Where the device failed for good; empty if none did. */
  List<Place> broken() {
    return lines(BROKEN).stream().map(RecordingLoader::place).toList();
  }

  JobCheckpoint checkpoint() {
    return new JobCheckpoint(SolidColorPipeline.MODEL, SolidColorPipeline.LIMITS, this);
  }

  void openGate() {
    create(GATE, "");
  }

  /** Once for each load, in any JVM. */
  List<Place> loads() {
    return lines(LOADED).stream().map(RecordingLoader::place).toList();
  }

  /** All drawings that have begun, in order. */
  List<Drawing> drawings() {
    return lines(DRAWN).stream()
        .map(line -> line.split("\t", -1))
        .map(
            part ->
                new Drawing(part[3], place(part[0] + "\t" + part[1]), Integer.parseInt(part[2])))
        .toList();
  }

  /** How many GPUs each task had that counted the tokens of prompts. */
  List<String> gpusWhileCounting() {
    return lines(COUNTING);
  }

  /** Whether a speculative attempt at the slow task has drawn its image. */
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
    return new SolidColorPipeline.Words();
  }

  @Override
  public DiffusionPipeline load(Device device) {
    String place = ProcessHandle.current().pid() + "\t" + device.name();
    append(LOADED, place);
    return new Pipeline(this, place, new AtomicInteger());
  }

  private record Pipeline(RecordingLoader loader, String place, AtomicInteger batches)
      implements DiffusionPipeline {

    @Override
    public PipelineLimits limits() {
      return SolidColorPipeline.LIMITS;
    }

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      List<String> prompts = batch.stream().map(ImageRequest::prompt).toList();
      try {
        if (loader.gated) {
          loader.await(GATE);
        }
        if (loader.breaking > 0) {
          if (batches.incrementAndGet() > loader.breaking) {
            loader.create(BROKEN, place); // of the first place only
          }
          requireWorkingDevice();
          awaitEndOfBrokenProcess();
        }
        loader.append(
            DRAWN,
            String.join(
                "\n",
                prompts.stream()
                    .map(prompt -> place + "\t" + TaskContext.getPartitionId() + "\t" + prompt)
                    .toList()));
        if (prompts.contains(loader.throwing) && loader.create(THROWN, "")) {
          throw new AssertionError("injected");
        }
        delay(prompts.contains(loader.slow), "" + TaskContext.get().taskAttemptId());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("killed while drawing", e);
      }
      return batch.stream().map(SolidColorPipeline::filled).toList();
    }

    /** Nothing is drawn between the failure of a device and the end of its process. */
    private void awaitEndOfBrokenProcess() throws InterruptedException {
      for (Place broken : loader.broken()) {
        if (broken.process() == ProcessHandle.current().pid()) {
          loader.await("never: this process ends");
        }
        ProcessHandle.of(broken.process()).ifPresent(process -> process.onExit().join());
      }
    }

    private void delay(boolean slow, String attempt) throws InterruptedException {
      if (slow) {
        if (loader.create(SLOWED, attempt)) {
          loader.await(TWIN);
        } else {
          loader.create(TWIN, attempt);
        }
      } else if (loader.lines(SLOWED).contains(attempt)) {
        loader.await("never: its twin ends first, and this one is killed");
      }
    }

    @Override
    public void requireWorkingDevice() {
      if (loader.lines(BROKEN).contains(place)) {
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

  /** Creates a file; false if it exists. */
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
