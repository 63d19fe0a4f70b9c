package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.FaultyLink.Call;
import io.lightmill.s3.FaultyLink.Fault;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.plan.ImageIdentity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs under fire. Each round runs a job on S3 with something going wrong at a random point, runs
 * it again until it is done, and looks at what came of every row. {@code -Dlightmill.chaos.seed=…}
 * repeats what a seed that was printed did.
 */
class ChaosTest {

  private static final int ROUNDS = 21;
  private static final int ROWS = 48;
  private static final int BATCH = 4;
  private static final int SLOTS = 2;

  /** One that is being stored, and one that is being drawn. */
  private static final int BATCHES_IN_FLIGHT = 2;

  /** What goes wrong in a round. */
  private enum Trouble {
    /** SIGKILL just before a change reaches the store, wherever in the protocol that is. */
    DRIVER_KILLED_BEFORE,
    /** SIGKILL just after. */
    DRIVER_KILLED_AFTER,
    TASK_THROWS,
    /** Somebody stores the same image just before: an attempt of the same task. */
    TWIN,
    SLOW_DOWN,
    DROPPED_BEFORE,
    DROPPED_AFTER,
    SLOW
  }

  /** What the rounds came to. */
  private static final class Figures {
    int faults;
    int kills;
    int images;
    int found;
    int regenerated;
  }

  @TempDir Path directory;

  private final Figures figures = new Figures();
  private S3Server s3;
  private FaultyLink link;
  private ChaosProcess driver;

  @Test
  void nothingIsLostNothingIsThereTwiceAndNothingIsPaidForTwice() throws Exception {
    long base = Long.getLong("lightmill.chaos.seed", new Random().nextLong(1_000_000));
    try (S3Server server = S3Server.start();
        FaultyLink faulty = new FaultyLink(server.endpoint())) {
      s3 = server;
      link = faulty;
      Configuration hadoop = TestSpark.session().sparkContext().hadoopConfiguration();
      s3.settings(s3.endpoint()).forEach(hadoop::set);
      for (int round = 0; round < ROUNDS; round++) {
        round(round, base + round);
      }
    } catch (Exception | AssertionError e) {
      throw new AssertionError("chaos with -Dlightmill.chaos.seed=" + base, e);
    } finally {
      if (driver != null) {
        driver.close();
      }
    }
    System.out.printf(
        "chaos: base seed %d, %d rounds, %d faults, %d of them kills, %d images, 0 lost, 0 doubled,"
            + " %d regenerated, %d found again%n",
        base,
        ROUNDS,
        figures.faults,
        figures.kills,
        figures.images,
        figures.regenerated,
        figures.found);
    assertThat(figures.kills).isPositive();
  }

  private void round(int round, long seed) throws Exception {
    Random random = new Random(seed);
    Trouble trouble = Trouble.values()[round % Trouble.values().length];
    String root = "round" + round;
    s3.put(root + "/prompts.csv", table());
    if (driver == null || !driver.alive()) {
      link.failing(call -> Fault.NONE);
      driver = ChaosProcess.start(directory.resolve("painted"), s3.settings(link.endpoint()));
    }
    Files.deleteIfExists(directory.resolve("painted"));
    AtomicInteger struck = new AtomicInteger();
    link.failing(striking(trouble, random, struck))
        .droppedAfter(
            () -> {
              if (trouble == Trouble.DRIVER_KILLED_AFTER) {
                driver.kill();
              }
            });
    int throwAt = trouble == Trouble.TASK_THROWS ? 1 + random.nextInt(ROWS / BATCH - 2) : 0;

    Optional<String> first = driver.run(job(root, "first", 2 * round, throwAt));
    link.failing(call -> Fault.NONE);
    boolean killed = !driver.alive();
    if (killed) {
      driver = ChaosProcess.start(directory.resolve("painted"), s3.settings(link.endpoint()));
    }
    Optional<String> second = driver.run(job(root, "second", 2 * round + 1, 0));

    int faults = struck.get() + (throwAt > 0 ? 1 : 0);
    System.out.printf(
        "chaos: round %d, seed %d, %s: %d faults, %s, then %s%n",
        round, seed, trouble, faults, first.orElse("killed"), second.orElse("killed"));
    figures.faults += faults;
    figures.kills += killed ? 1 : 0;
    check(root, trouble, first, second, killed || throwAt > 0);
  }

  private void check(
      String root,
      Trouble trouble,
      Optional<String> first,
      Optional<String> second,
      boolean mayRepeat)
      throws Exception {
    assertThat(second).isPresent();
    boolean commitLost = // the retry of a multipart upload's last call finds no upload any more
        trouble == Trouble.DROPPED_AFTER && first.filter(it -> it.startsWith("failed")).isPresent();
    if (first.isPresent() && !commitLost) {
      assertThat(first).hasValue("{generated=" + ROWS + "}");
      checkManifest(root, "first");
      assertThat(second).hasValue("{reused=" + ROWS + "}");
    }
    checkManifest(root, "second");
    Map<String, Long> times =
        Files.readAllLines(directory.resolve("painted")).stream()
            .collect(Collectors.groupingBy(prompt -> prompt, Collectors.counting()));
    int regenerated = times.values().stream().mapToInt(count -> (int) (count - 1)).sum();
    assertThat(times).hasSize(ROWS);
    assertThat(regenerated)
        .as("painted again")
        .isLessThanOrEqualTo(mayRepeat ? SLOTS * BATCHES_IN_FLIGHT * BATCH : 0);
    figures.images += ROWS;
    figures.regenerated += regenerated;
  }

  /** Every row once, and its object whole. */
  private void checkManifest(String root, String runId) throws Exception {
    String manifest = s3.uri(root + "/out/manifest/run_id=" + runId);
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

  private Function<Call, Fault> striking(Trouble trouble, Random random, AtomicInteger struck) {
    AtomicInteger changes = new AtomicInteger();
    int one = 1 + random.nextInt(ROWS + 20); // images, lock and manifest
    int every = 3 + random.nextInt(8);
    return call -> {
      if (!call.changes()) {
        return Fault.NONE;
      }
      int number = changes.incrementAndGet();
      boolean strikes =
          switch (trouble) {
            case DRIVER_KILLED_BEFORE, DRIVER_KILLED_AFTER -> number == one;
            case TASK_THROWS -> false;
            case TWIN -> call.method().equals("PUT") && call.target().contains("/images/");
            default -> number % every == 0;
          };
      if (!strikes) {
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
        case TASK_THROWS -> Fault.NONE;
      };
    };
  }

  private static byte[] table() {
    return Stream.concat(
            Stream.of("id,prompt"), IntStream.range(0, ROWS).mapToObj(i -> i + ",mug " + i))
        .collect(Collectors.joining("\n"))
        .getBytes(UTF_8);
  }

  private ChaosDriver.Job job(String root, String runId, int hours, int throwAt) {
    return new ChaosDriver.Job(
        runId, s3.uri(root + "/prompts.csv"), s3.uri(root + "/out"), hours, throwAt);
  }
}
