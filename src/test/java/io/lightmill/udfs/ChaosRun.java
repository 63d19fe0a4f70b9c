package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.FaultyLink.Call;
import io.lightmill.s3.FaultyLink.Fault;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.RecordingLoader.Drawing;
import io.lightmill.udfs.plan.ImageIdentity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;

/**
 * Jobs under injected faults. Each round runs a job on S3 with a fault at a random point, runs the
 * job again (in another driver if the fault killed the first), and checks every row, object and
 * repeated drawing. The points are those of a fixed seed; {@code -Dlightmill.chaos.seed} gives
 * another one, or {@code random}, and {@code -Dlightmill.chaos.times=10} ten times as many rounds.
 * With {@code -Dlightmill.chaos.trouble}, which names a fault, one round with that fault and seed
 * runs alone.
 */
final class ChaosRun {

  static final int ROWS = 16;
  static final int SLOTS = 2;
  static final int BATCH = 2;

  private static final String SEED = "lightmill.chaos.seed";
  private static final long FIXED_SEED = 20_260;

  /** One that is being stored, and one that is being drawn. */
  private static final int BATCHES_IN_FLIGHT = 2;

  /** Sums over the rounds. */
  private static final class Figures {
    int rounds;
    int faults;
    int kills;
    int images;
    int found;
    int regenerated;
  }

  private final Path directory;
  private final Figures figures = new Figures();
  private S3Server s3;
  private FaultyLink link;
  private StandaloneCluster cluster;
  private final Map<ChaosTrouble.Home, ChaosProcess> drivers =
      new EnumMap<>(ChaosTrouble.Home.class);

  private ChaosRun(Path directory) {
    this.directory = directory;
  }

  /**
   * Runs the rounds of some homes.
   *
   * @param directory for the files of the rounds
   */
  static void in(Path directory, Set<ChaosTrouble.Home> homes) throws Exception {
    new ChaosRun(directory).run(homes);
  }

  private void run(Set<ChaosTrouble.Home> homes) throws Exception {
    long base = seed();
    List<ChaosTrouble> troubles = troubles(homes);
    boolean alone = troubles.stream().allMatch(trouble -> trouble.home == ChaosTrouble.Home.LOCAL);
    try (S3Server server = S3Server.start();
        FaultyLink faulty = new FaultyLink(server.endpoint());
        StandaloneCluster workers = alone ? null : StandaloneCluster.start(directory, 1, 0)) {
      s3 = server;
      link = faulty;
      cluster = workers;
      Configuration hadoop = TestSpark.session().sparkContext().hadoopConfiguration();
      s3.settings(s3.endpoint()).forEach(hadoop::set);
      for (ChaosTrouble trouble : troubles) {
        round(trouble, base + figures.rounds);
      }
    } catch (Exception | AssertionError e) {
      throw new AssertionError("chaos with -D" + SEED + "=" + base, e);
    } finally {
      drivers.values().forEach(ChaosProcess::close);
    }
    System.out.printf(
        "chaos: base seed %d, %d rounds, %d faults, %d of them kills, %d images, 0 lost, 0 doubled,"
            + " %d regenerated, %d found again%n",
        base,
        figures.rounds,
        figures.faults,
        figures.kills,
        figures.images,
        figures.regenerated,
        figures.found);
  }

  private static long seed() {
    String given = System.getProperty(SEED, "" + FIXED_SEED);
    return given.equals("random") ? new Random().nextLong(1_000_000) : Long.parseLong(given);
  }

  /** The fault of each round; rounds of the same home follow each other and share a driver. */
  private static List<ChaosTrouble> troubles(Set<ChaosTrouble.Home> homes) {
    String only = System.getProperty("lightmill.chaos.trouble");
    int times = Integer.getInteger("lightmill.chaos.times", 1);
    return only != null
        ? List.of(ChaosTrouble.valueOf(only))
        : Arrays.stream(ChaosTrouble.values())
            .filter(trouble -> homes.contains(trouble.home))
            .sorted(Comparator.comparing(trouble -> trouble.home))
            .flatMap(trouble -> Collections.nCopies(times * trouble.rounds, trouble).stream())
            .toList();
  }

  /** The driver of earlier rounds of this home, if it is alive. */
  private ChaosProcess driver(ChaosTrouble.Home home) throws Exception {
    ChaosProcess living = drivers.get(home);
    if (living != null && living.alive()) {
      return living;
    }
    if (home != ChaosTrouble.Home.LOCAL) { // the cluster has executors for one driver
      for (ChaosTrouble.Home other : ChaosTrouble.Home.values()) {
        if (other != ChaosTrouble.Home.LOCAL && drivers.containsKey(other)) {
          drivers.remove(other).close();
        }
      }
    }
    ChaosProcess started = started(home);
    drivers.put(home, started);
    return started;
  }

  private ChaosProcess started(ChaosTrouble.Home home) throws Exception {
    Map<String, String> settings = new HashMap<>();
    s3.settings(link.endpoint())
        .forEach((key, value) -> settings.put("spark.hadoop." + key, value));
    if (home == ChaosTrouble.Home.LOCAL) {
      settings.put("spark.master", "local[2,4]");
    } else {
      settings.putAll(cluster.settings());
    }
    if (home == ChaosTrouble.Home.CLUSTER_WITH_TWINS) {
      settings.put("spark.speculation", "true");
      settings.put("spark.speculation.quantile", "0.5");
      settings.put("spark.speculation.multiplier", "1.5");
    }
    return ChaosProcess.start(settings);
  }

  private void round(ChaosTrouble trouble, long seed) throws Exception {
    Random random = new Random(seed);
    int round = figures.rounds++;
    String root = "round" + round;
    s3.put(root + "/prompts.csv", table());
    ChaosProcess driver = driver(trouble.home);
    AtomicInteger struck = new AtomicInteger();
    link.failing(striking(trouble, driver, random, struck))
        .droppedAfter(
            () -> {
              if (trouble == ChaosTrouble.DRIVER_KILLED_AFTER) {
                driver.kill();
              }
            });
    String victim = "mug " + random.nextInt(ROWS);
    RecordingLoader loader =
        new RecordingLoader(
            Files.createDirectory(directory.resolve(root)).toString(),
            trouble == ChaosTrouble.TASK_THROWS ? victim : "",
            trouble == ChaosTrouble.SPECULATIVE_TWIN ? victim : "",
            0,
            false);

    Optional<String> first = driver.run(job(root, "first", loader));
    link.failing(call -> Fault.NONE);
    boolean killed = !driver.alive();
    for (String lock : s3.keys(root + "/out/run.lock/")) { // that of a killed run would expire
      s3.delete(lock);
    }
    Optional<String> second = again(driver, job(root, "second", loader));

    int faults = struck.get() + (loader.thrown() ? 1 : 0) + (loader.twinned() ? 1 : 0);
    int regenerated = loader.drawings().size() - ROWS;
    System.out.printf(
        "chaos: round %d, seed %d, %s: %d faults, %s, then %s, %d regenerated%n",
        round, seed, trouble, faults, first.orElse("killed"), second.orElse("killed"), regenerated);
    figures.faults += faults;
    figures.kills += killed || trouble == ChaosTrouble.EXECUTOR_KILLED ? 1 : 0;
    figures.images += ROWS;
    figures.regenerated += regenerated;
    check(root, trouble, first, second);
    assertThat(loader.drawings().stream().map(Drawing::prompt).distinct()).hasSize(ROWS);
    assertThat(regenerated)
        .as("drawn again")
        .isLessThanOrEqualTo(trouble.slotsLost * BATCHES_IN_FLIGHT * BATCH);
    if (trouble.home != ChaosTrouble.Home.LOCAL || trouble == ChaosTrouble.TASK_THROWS) {
      assertThat(faults).as("faults that the round is about").isPositive();
    }
  }

  /** Runs a job in the driver of an earlier run or, if that was killed, in this process. */
  private static Optional<String> again(ChaosProcess driver, ChaosDriver.Job job) {
    return driver.alive()
        ? driver.run(job)
        : Optional.of(ChaosDriver.run(TestSpark.session(), job));
  }

  private void check(
      String root, ChaosTrouble trouble, Optional<String> first, Optional<String> second)
      throws Exception {
    assertThat(second).isPresent();
    boolean commitLost = // the retry of a multipart upload's last call finds no upload any more
        trouble == ChaosTrouble.DROPPED_AFTER
            && first.filter(it -> it.startsWith("failed")).isPresent();
    if (first.isPresent() && !commitLost) {
      assertThat(first).hasValue("{generated=" + ROWS + "}");
      checkManifest(root, "first");
      assertThat(second).hasValue("{reused=" + ROWS + "}");
    }
    checkManifest(root, "second");
  }

  /** Every row once, and its object whole. */
  private void checkManifest(String root, String runId) throws Exception {
    String manifest = s3.uri(root + "/out/manifest/" + runId + ".parquet");
    List<Row> rows = TestSpark.session().read().parquet(manifest).collectAsList();
    assertThat(rows.stream().map(row -> row.<String>getAs("id")).sorted())
        .containsExactlyElementsOf(
            IntStream.range(0, ROWS).mapToObj(Integer::toString).sorted().toList());
    Map<String, String> objects = new HashMap<>();
    for (Row row : rows) {
      assertThat(row.<String>getAs("status")).isIn("generated", "reused");
      byte[] object = s3.object(root + "/out/" + row.<String>getAs("path"));
      assertThat(DigestUtils.sha256Hex(object)).isEqualTo(row.getAs("sha256"));
      assertThat(ImageReceiptReader.identity(object).map(ImageIdentity::imageId))
          .hasValue(row.getAs("image_id"));
      objects.put(row.getAs("path"), row.getAs("image_id"));
      figures.found += row.<String>getAs("status").equals("reused") ? 1 : 0;
    }
    assertThat(objects).hasSize(ROWS);
    assertThat(s3.keys(root + "/out/images/")).hasSize(ROWS);
  }

  private Function<Call, Fault> striking(
      ChaosTrouble trouble, ChaosProcess driver, Random random, AtomicInteger struck) {
    ChaosTrouble.Strikes strikes = trouble.strikes(random);
    return call -> {
      if (!strikes.at(call)) {
        return Fault.NONE;
      }
      struck.incrementAndGet();
      return switch (trouble) {
        case DRIVER_KILLED_BEFORE -> {
          driver.kill();
          yield Fault.DROPPED_BEFORE;
        }
        case DRIVER_KILLED_AFTER -> Fault.DROPPED_AFTER;
        case TWIN -> Fault.TWICE;
        case SLOW_DOWN -> Fault.SLOW_DOWN;
        case DROPPED_BEFORE -> Fault.DROPPED_BEFORE;
        case DROPPED_AFTER -> Fault.DROPPED_AFTER;
        case SLOW -> Fault.SLOW;
        case EXECUTOR_KILLED -> {
          List<ProcessHandle> executors = cluster.executors();
          kill(executors.get(random.nextInt(executors.size())));
          yield Fault.NONE;
        }
        case MACHINE_KILLED, MACHINE_KILLED_WITH_TWINS -> {
          driver.kill();
          cluster.executors().forEach(ChaosRun::kill);
          yield Fault.DROPPED_BEFORE;
        }
        case TASK_THROWS, SPECULATIVE_TWIN -> Fault.NONE;
      };
    };
  }

  /** SIGKILL. */
  private static void kill(ProcessHandle process) {
    process.destroyForcibly();
    process.onExit().join();
  }

  private static byte[] table() {
    return String.join("\n", TestJob.rows(ROWS)).getBytes(UTF_8);
  }

  private ChaosDriver.Job job(String root, String runId, RecordingLoader loader) {
    return new ChaosDriver.Job(runId, s3.uri(root + "/prompts.csv"), s3.uri(root + "/out"), loader);
  }
}
