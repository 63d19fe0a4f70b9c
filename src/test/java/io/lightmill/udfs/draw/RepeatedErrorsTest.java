package io.lightmill.udfs.draw;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RepeatedErrorsTest {

  private final List<String> logged = new ArrayList<>();
  private final RepeatedErrors errors =
      new RepeatedErrors((text, error) -> logged.add(text + (error == null ? "" : " + trace")));

  @Test
  void eachDistinctErrorHasOneStackTraceAndThenACount() {
    for (int i = 0; i < 1000; i++) {
      errors.add("An image failed", new IllegalStateException("no kernel for row " + i));
    }
    errors.add("An image failed", new IllegalStateException("another error"));

    assertThat(logged)
        .containsExactly(
            "An image failed + trace",
            "An image failed; 10 times so far: java.lang.IllegalStateException: no kernel for row"
                + " 9",
            "An image failed; 100 times so far: java.lang.IllegalStateException: no kernel for row"
                + " 99",
            "An image failed; 1000 times so far: java.lang.IllegalStateException: no kernel for row"
                + " 999",
            "An image failed + trace");
  }

  @Test
  void memoryIsBounded() {
    for (char first = 'a'; first <= 'z'; first++) {
      for (char second = 'a'; second <= 'z'; second++) {
        errors.add("An image failed", new IllegalStateException("" + first + second));
      }
    }
    // 100 of their own, and the other 576 as one kind: the first, the 10th and the 100th of them.
    assertThat(logged).hasSize(103);
  }
}
