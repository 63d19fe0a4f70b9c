package io.lightmill.udfs;

import io.lightmill.s3.FaultyLink.Call;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The fault of a round of a {@link ChaosRun}. Of a home's rounds, those that kill the driver come
 * last, so that the others share one.
 */
enum ChaosTrouble {
  TASK_THROWS(Home.LOCAL, 1, 1),
  /** Another attempt of the same task stores the same image just before. */
  TWIN(Home.LOCAL, 1, 0),
  SLOW_DOWN(Home.LOCAL, 1, 0),
  DROPPED_BEFORE(Home.LOCAL, 1, 0),
  DROPPED_AFTER(Home.LOCAL, 1, 0),
  SLOW(Home.LOCAL, 1, 0),
  /** SIGKILL just before a change reaches the store, wherever in the protocol that is. */
  DRIVER_KILLED_BEFORE(Home.LOCAL, 2, ChaosRun.SLOTS),
  /** SIGKILL just after. */
  DRIVER_KILLED_AFTER(Home.LOCAL, 2, ChaosRun.SLOTS),
  /** SIGKILL for one of the two executors, while it draws and stores. */
  EXECUTOR_KILLED(Home.CLUSTER, 2, 1),
  /** SIGKILL for the driver and all executors. */
  MACHINE_KILLED(Home.CLUSTER, 1, ChaosRun.SLOTS),
  /** Spark starts a second attempt of a task that makes no progress; both draw and store. */
  SPECULATIVE_TWIN(Home.CLUSTER_WITH_TWINS, 1, 1),
  /** As {@link #MACHINE_KILLED}, with speculation: a twin may draw beside the two tasks. */
  MACHINE_KILLED_WITH_TWINS(Home.CLUSTER_WITH_TWINS, 1, ChaosRun.SLOTS + 1);

  final Home home;

  final int rounds;

  /** Slots whose batches in flight may be drawn again. */
  final int slotsLost;

  ChaosTrouble(Home home, int rounds, int slotsLost) {
    this.home = home;
    this.rounds = rounds;
    this.slotsLost = slotsLost;
  }

  /** Where tasks run, two at a time. */
  enum Home {
    /** In the driver. */
    LOCAL,
    /** On two workers of a standalone cluster, in an executor each. */
    CLUSTER,
    /** There, with speculation: a second attempt of a task that is much slower than others. */
    CLUSTER_WITH_TWINS
  }

  /** Which calls fail; called for each of them, from several threads. */
  @FunctionalInterface
  interface Strikes {
    boolean at(Call call);
  }

  Strikes strikes(Random random) {
    AtomicInteger changes = new AtomicInteger();
    AtomicInteger images = new AtomicInteger();
    int one = 1 + random.nextInt(ChaosRun.ROWS + 20); // images, lock and manifest
    int image = 1 + random.nextInt(ChaosRun.ROWS);
    int every = 3 + random.nextInt(8);
    return call -> {
      if (!call.changes()) {
        return false;
      }
      int number = changes.incrementAndGet();
      boolean stores = call.method().equals("PUT") && call.target().contains("/images/");
      int stored = stores ? images.incrementAndGet() : 0;
      return switch (this) {
        case DRIVER_KILLED_BEFORE, DRIVER_KILLED_AFTER -> number == one;
        case EXECUTOR_KILLED, MACHINE_KILLED, MACHINE_KILLED_WITH_TWINS -> stored == image;
        case TASK_THROWS, SPECULATIVE_TWIN -> false;
        case TWIN -> stores;
        case SLOW_DOWN, DROPPED_BEFORE, DROPPED_AFTER, SLOW -> number % every == 0;
      };
    };
  }
}
