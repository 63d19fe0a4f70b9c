package io.lightmill.udfs.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.FaultyLink.Call;
import io.lightmill.s3.FaultyLink.Fault;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.HandClock;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.StoreRetry;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A lock on an S3 store that fails. */
class RunLockFaultTest {

  private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");
  private static final AtomicInteger OUTPUTS = new AtomicInteger();

  /** Calls that S3A makes for the lock. */
  enum Operation implements Predicate<Call> {
    LIST {
      @Override
      public boolean test(Call call) {
        return call.method().equals("GET") && call.target().contains("list-type");
      }
    },
    DELETE {
      @Override
      public boolean test(Call call) {
        return call.method().equals("DELETE") || call.target().endsWith("?delete");
      }
    },
    PUT {
      @Override
      public boolean test(Call call) {
        return call.method().equals("PUT");
      }
    },
    READ {
      @Override
      public boolean test(Call call) {
        return call.method().equals("GET") && !LIST.test(call);
      }
    }
  }

  private static S3Server s3;
  private static FaultyLink link;

  private final HandClock clock = new HandClock(NOON);
  private final AtomicInteger struck = new AtomicInteger();
  private ImageStore store;

  @BeforeAll
  static void start() throws Exception {
    s3 = S3Server.start();
    link = new FaultyLink(s3.endpoint());
  }

  @AfterAll
  static void stop() {
    link.close();
    s3.close();
  }

  @BeforeEach
  void open() {
    Configuration configuration = s3.configuration(link.endpoint());
    configuration.set(
        StoreRetry.LONGEST_OUTAGE, "2s"); // calls that always fail are repeated so long
    store = ImageStore.open(s3.uri("out" + OUTPUTS.incrementAndGet()), configuration);
    link.failing(call -> Fault.NONE);
  }

  private RunLock take(String runId) {
    return RunLock.take(store, "the output", runId, clock);
  }

  private void failing(Operation operation, Fault fault) {
    link.failing(
        call -> {
          if (!operation.test(call)) {
            return Fault.NONE;
          }
          struck.incrementAndGet();
          return fault;
        });
  }

  private void healed() {
    assertThat(struck).as("injected faults").hasPositiveValue();
    link.failing(call -> Fault.NONE);
  }

  private void assertHeld(RunLock lock) {
    assertThat(lock.renew()).isTrue();
    assertThat(lock.holds()).isTrue();
    assertThat(store.listing().objects(RunLock.DIRECTORY)).hasSize(1);
    assertThatThrownBy(() -> take("second")).hasMessageContaining("run 'first'");
  }

  private void assertReleased() {
    assertThat(store.listing().objects(RunLock.DIRECTORY)).isEmpty();
    take("second").close();
  }

  @ParameterizedTest
  @EnumSource(names = {"LIST", "DELETE"})
  void aRenewalNeedsNoListingAndNoDeletion(Operation denied) {
    RunLock first = take("first");
    failing(denied, Fault.DENIED);
    for (int renewal = 0; renewal < 3; renewal++) {
      clock.advance(Duration.ofSeconds(30));
      assertThat(first.renew()).isTrue();
    }
    healed();
    clock.advance(Duration.ofSeconds(60)); // past the expiry of the lock as it was taken

    assertHeld(first);
    first.close();
    assertReleased();
  }

  private static Stream<Arguments> faults() {
    return Stream.of(Operation.LIST, Operation.DELETE, Operation.PUT)
        .flatMap(
            operation ->
                Stream.of(Fault.SLOW_DOWN, Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER, Fault.DENIED)
                    .flatMap(
                        fault ->
                            Stream.of(
                                arguments(operation, fault, 1),
                                arguments(operation, fault, Integer.MAX_VALUE))));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void noFaultLosesALock(Operation operation, Fault fault, int calls) {
    RunLock first = take("first");
    link.failing(
        call -> operation.test(call) && struck.incrementAndGet() <= calls ? fault : Fault.NONE);
    try {
      first.renew();
    } catch (LightmillException e) {
      assertThat(e.code()).isIn(ErrorCode.STORE_FAILED, ErrorCode.STORE_UNAVAILABLE);
    }
    healed();
    clock.advance(Duration.ofSeconds(30));

    assertHeld(first);
    first.close();
    assertReleased();
  }

  @Test
  void closingWaitsForARenewalUnderWay() throws Exception {
    RunLock first = take("first");
    CountDownLatch arrived = new CountDownLatch(1);
    CountDownLatch answered = new CountDownLatch(1);
    link.failing(
        call -> {
          if (Operation.PUT.test(call)) {
            arrived.countDown();
            await(answered);
          }
          return Fault.NONE;
        });
    CompletableFuture<Boolean> renewal = CompletableFuture.supplyAsync(first::renew);
    await(arrived);
    CompletableFuture<Void> closing = CompletableFuture.runAsync(first::close);
    answered.countDown();

    assertThat(renewal.get(60, TimeUnit.SECONDS)).isTrue();
    closing.get(60, TimeUnit.SECONDS);
    assertReleased();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aLockThatCannotBeRenewedIsHeldUntilItExpires() {
    RunLock first = take("first");
    failing(Operation.PUT, Fault.DENIED);
    assertThatThrownBy(first::renew)
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED));
    assertThat(first.holds()).isTrue();
    clock.advance(RunLock.EXPIRY);
    assertThat(first.holds()).isFalse();
    healed();

    assertHeld(first); // nobody else has taken it
    first.close();
    assertReleased();
  }

  @Test
  void anObjectOfARenewalWithoutAnAnswerIsOwn() {
    RunLock first = take("first");
    AtomicBoolean stored = new AtomicBoolean();
    link.failing(
        call -> {
          if (Operation.PUT.test(call) && stored.compareAndSet(false, true)) {
            struck.incrementAndGet();
            return Fault.DROPPED_AFTER;
          }
          return Operation.READ.test(call) ? Fault.DENIED : Fault.NONE; // cannot look what is there
        });
    assertThatThrownBy(first::renew).isInstanceOf(LightmillException.class);
    healed();
    clock.advance(Duration.ofSeconds(30)); // so that the object differs from that of the retry

    assertHeld(first);
    first.close();
    assertReleased();
  }

  @Test
  void anExpiredLockIsNotRenewedWhileNobodyCanTellWhoHasIt() {
    RunLock first = take("first");
    clock.advance(RunLock.EXPIRY);
    try (RunLock second = take("second")) {
      assertThat(second.renew()).isTrue(); // the number that the first tries next is free again
      failing(Operation.LIST, Fault.DENIED);
      assertThatThrownBy(first::renew).isInstanceOf(LightmillException.class);
      assertThat(first.holds()).isFalse();
      healed();

      assertThat(first.renew()).isFalse();
      assertThat(second.renew()).isTrue();
      assertThatThrownBy(() -> take("third")).hasMessageContaining("run 'second'");
    }
  }

  @Test
  void aRunThatCannotTakeTheLockLeavesNoObject() {
    AtomicBoolean stored = new AtomicBoolean();
    link.failing(
        call -> {
          stored.compareAndSet(false, Operation.PUT.test(call));
          if (!stored.get() || !Operation.LIST.test(call)) {
            return Fault.NONE;
          }
          struck.incrementAndGet();
          return Fault.DENIED;
        });
    assertThatThrownBy(() -> take("first")).isInstanceOf(LightmillException.class);
    healed();

    assertReleased();
  }

  @Test
  void aLockThatCannotBeDeletedExpires() {
    RunLock first = take("first");
    failing(Operation.DELETE, Fault.DENIED);
    first.close();
    healed();

    assertThatThrownBy(() -> take("second")).hasMessageContaining("run 'first'");
    clock.advance(RunLock.EXPIRY);
    take("second").close();
    assertReleased();
  }

  @Test
  void closingDeletesEveryNumberOfTheRun() {
    RunLock first = take("first");
    failing(Operation.DELETE, Fault.DENIED);
    assertThat(first.renew()).isTrue();
    assertThat(store.listing().objects(RunLock.DIRECTORY)).hasSize(2);
    healed();

    first.close();

    assertReleased();
  }

  @Test
  void aFileOfSomebodyElseBesideTheLockIsLeftAlone() {
    store.put(RunLock.DIRECTORY + "/notes.txt", new byte[] {'?'}, "text/plain");
    RunLock first = take("first");
    assertThat(first.renew()).isTrue();
    assertThatThrownBy(() -> take("second")).hasMessageContaining("run 'first'");
    first.close();

    assertThat(store.listing().objects(RunLock.DIRECTORY))
        .extracting(object -> object.key())
        .containsExactly(RunLock.DIRECTORY + "/notes.txt");
    take("second").close();
  }
}
