package io.lightmill.udfs.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.HandClock;
import io.lightmill.udfs.store.ImageStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RunLockTest {

  private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");
  private static final AtomicInteger OUTPUTS = new AtomicInteger();

  /** The file system of an output. */
  enum Place {
    LOCAL,
    S3PROXY,
    S3MOCK
  }

  private static final Map<Place, S3Server> SERVERS = new EnumMap<>(Place.class);
  private static final Map<Place, FaultyLink> LINKS = new EnumMap<>(Place.class);

  private final HandClock clock = new HandClock(NOON);
  @TempDir Path directory;

  @BeforeAll
  static void start() throws Exception {
    for (S3Server.Software software : S3Server.Software.values()) {
      Place place = Place.valueOf(software.name());
      SERVERS.put(place, S3Server.start(software));
      LINKS.put(place, new FaultyLink(SERVERS.get(place).endpoint()));
    }
  }

  @AfterAll
  static void stop() {
    LINKS.values().forEach(FaultyLink::close);
    SERVERS.values().forEach(S3Server::close);
  }

  private ImageStore store(Place place) {
    if (place == Place.LOCAL) {
      return ImageStore.open(directory.resolve("out").toString(), new Configuration(false));
    }
    S3Server s3 = SERVERS.get(place);
    return ImageStore.open(
        s3.uri("out" + OUTPUTS.incrementAndGet()), s3.configuration(LINKS.get(place).endpoint()));
  }

  private RunLock take(ImageStore store, String runId) {
    return RunLock.take(store, "the output", runId, clock);
  }

  @ParameterizedTest
  @EnumSource
  void aSecondRunIsRefusedWithTheNameOfTheFirst(Place place) {
    ImageStore store = store(place);
    try (RunLock first = take(store, "first")) {
      clock.advance(Duration.ofSeconds(30));

      assertThatThrownBy(() -> take(store, "second"))
          .isInstanceOfSatisfying(
              LightmillException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_IN_USE))
          .hasMessageStartingWith("output 'the output' is in use: run 'first' of ")
          .hasMessageContaining(System.getProperty("user.name") + "@")
          .hasMessageContaining("(process " + ProcessHandle.current().pid() + ")")
          .hasMessageContaining("has held its lock since 2026-03-04T12:00:00Z")
          .hasMessageContaining("expires at 2026-03-04T12:02:00Z, in 91 s")
          .hasMessageContaining("choose another output");
      assertThat(first.holds()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aReleasedLockLeavesNothing(Place place) {
    ImageStore store = store(place);
    RunLock first = take(store, "first");
    assertThat(first.renew()).isTrue();
    first.close();
    first.close();

    assertThat(store.listing().objects(RunLock.DIRECTORY)).isEmpty();
    assertThat(directory).isEmptyDirectory();
    take(store, "second").close();
  }

  @ParameterizedTest
  @EnumSource
  void aLockIsHeldAsLongAsItIsRenewed(Place place) {
    ImageStore store = store(place);
    try (RunLock first = take(store, "first")) {
      for (int i = 0; i < 3; i++) {
        clock.advance(RunLock.EXPIRY.minusSeconds(1));
        assertThat(first.renew()).isTrue();
        assertThatThrownBy(() -> take(store, "second")).hasMessageContaining("run 'first'");
      }
      assertThat(store.listing().objects(RunLock.DIRECTORY)).hasSize(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anExpiredLockIsTakenOverAndItsOwnerNoticesIt(Place place) {
    ImageStore store = store(place);
    RunLock killed = take(store, "killed");
    clock.advance(RunLock.EXPIRY);
    assertThat(killed.holds()).isFalse();

    try (RunLock second = take(store, "second")) {
      assertThat(killed.renew()).isFalse();
      assertThat(killed.renew()).isFalse();
      killed.close();
      assertThat(second.renew()).isTrue();
      assertThatThrownBy(() -> take(store, "third")).hasMessageContaining("run 'second'");
    }
  }

  @ParameterizedTest
  @EnumSource
  void anOwnerThatRenewsAnExpiredLockFirstKeepsIt(Place place) {
    ImageStore store = store(place);
    try (RunLock late = take(store, "late")) {
      clock.advance(RunLock.EXPIRY.multipliedBy(3));

      assertThat(late.renew()).isTrue();
      assertThatThrownBy(() -> take(store, "second")).hasMessageContaining("run 'late'");
    }
  }

  @ParameterizedTest
  @EnumSource
  void oneOfManyConcurrentRunsGetsTheLock(Place place) throws Exception {
    ImageStore store = store(place);
    assertThat(winners(store)).hasSize(1);
    clock.advance(RunLock.EXPIRY); // no run released it
    assertThat(winners(store)).hasSize(1);
  }

  private List<RunLock> winners(ImageStore store) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(6);
    try {
      List<Callable<RunLock>> tries = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        String runId = "run " + i;
        tries.add(() -> take(store, runId));
      }
      List<RunLock> winners = new ArrayList<>();
      for (Future<RunLock> each : threads.invokeAll(tries)) {
        try {
          winners.add(each.get());
        } catch (ExecutionException e) {
          assertThat(e.getCause()).hasMessageContaining("is in use");
        }
      }
      return winners;
    } finally {
      threads.shutdown();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedLockIsReported(Place place) {
    ImageStore store = store(place);
    store.put(RunLock.DIRECTORY + "/00000001.json", new byte[] {'?'}, "application/json");

    assertThatThrownBy(() -> take(store, "first"))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_UNWRITABLE))
        .hasMessageContaining("delete that directory if no run uses the output");
  }
}
