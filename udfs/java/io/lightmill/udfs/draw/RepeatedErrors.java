package io.lightmill.udfs.draw;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/**
 * Logs errors that may occur for thousands of images: each distinct one with its stack trace the
 * first time, then a count at the 10th, the 100th, the 1000th time and so on. Two errors are equal
 * if their texts differ in digits only.
 */
final class RepeatedErrors {

  /** So that memory stays bounded. */
  private static final int MOST = 100;

  private static final String OTHERS = "other errors";

  private final BiConsumer<String, Throwable> log;
  private final Map<String, Long> counts = new ConcurrentHashMap<>();

  /**
   * @param log receives a sentence, and the error where its stack trace is to be shown
   */
  RepeatedErrors(BiConsumer<String, Throwable> log) {
    this.log = log;
  }

  void add(String what, Throwable error) {
    String kind = error.toString().replaceAll("\\d+", "#");
    String known = counts.containsKey(kind) || counts.size() < MOST ? kind : OTHERS;
    long count = counts.merge(known, 1L, Long::sum);
    if (count == 1) {
      log.accept(what, error);
    } else if (isPowerOfTen(count)) {
      log.accept("%s; %d times so far: %s".formatted(what, count, error), null);
    }
  }

  private static boolean isPowerOfTen(long number) {
    long rest = number;
    while (rest % 10 == 0) {
      rest /= 10;
    }
    return rest == 1;
  }
}
