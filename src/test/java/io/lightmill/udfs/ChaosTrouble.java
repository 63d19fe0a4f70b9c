package io.lightmill.udfs;

import io.lightmill.s3.FaultyLink.Call;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** What goes wrong in a round of a {@link ChaosRun}. */
enum ChaosTrouble {
  /** SIGKILL just before a change reaches the store, wherever in the protocol that is. */
  DRIVER_KILLED_BEFORE(Home.LOCAL, 2, ChaosRun.SLOTS),
  /** SIGKILL just after. */
  DRIVER_KILLED_AFTER(Home.LOCAL, 2, ChaosRun.SLOTS),
  TASK_THROWS(Home.LOCAL, 2, 1),
  /** Somebody stores the same image just before: an attempt of the same task. */
  TWIN(Home.LOCAL, 2, 0),
  SLOW_DOWN(Home.LOCAL, 1, 0),
  DROPPED_BEFORE(Home.LOCAL, 2, 0),
  DROPPED_AFTER(Home.LOCAL, 2, 0),
  SLOW(Home.LOCAL, 1, 0),
  /** SIGKILL for one of the two, while it draws and stores. */
  EXECUTOR_KILLED(Home.CLUSTER, 3, 1),
  /** SIGKILL for the driver and all executors. */
  MACHINE_KILLED(Home.CLUSTER, 2, ChaosRun.SLOTS),
  /** Spark starts a second attempt beside one that does not get on, and both paint and store. */
  SPECULATIVE_TWIN(Home.CLUSTER_WITH_TWINS, 2, 1);

  final Home home;
  final int rounds;

  /** Slots whose batches in flight may be painted again. */
  final int slotsLost;

  ChaosTrouble(Home home, int rounds, int slotsLost) {
    this.home = home;
    this.rounds = rounds;
    this.slotsLost = slotsLost;
  }

  /** Where tasks run: two at a time, everywhere. */
  enum Home {
    /** In the driver. */
    LOCAL,
    /** On two workers of a standalone cluster, in an executor each. */
    CLUSTER,
    /** There, and a task that takes much longer than others gets a twin. */
    CLUSTER_WITH_TWINS
  }

  /** Which calls it strikes; asked for each, from several threads. */
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
        case EXECUTOR_KILLED, MACHINE_KILLED -> stored == image;
        case TASK_THROWS, SPECULATIVE_TWIN -> false;
        case TWIN -> stores;
        case SLOW_DOWN, DROPPED_BEFORE, DROPPED_AFTER, SLOW -> number % every == 0;
      };
    };
  }
}
