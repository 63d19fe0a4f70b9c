package io.lightmill.pipeline.hosted;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.hosted.AllowanceLedger.Limits;
import io.lightmill.pipeline.hosted.AllowanceLedger.Totals;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AllowanceLedgerTest {

  private static final double NONE = Double.POSITIVE_INFINITY;

  private long now = Long.MAX_VALUE - 5; // nanoTime may wrap

  private AllowanceLedger ledger(int perMinute, int atOnce, double maxCost) {
    return new AllowanceLedger(
        new Limits(perMinute, atOnce, maxCost, Duration.ofMinutes(4)), () -> now);
  }

  private void pass(Duration time) {
    now += time.toNanos();
  }

  private static boolean granted(AllowanceLedger ledger, String name) {
    return ledger.ask(name, 0).granted();
  }

  @Test
  void aRequestThatIsAskedForTwiceIsGrantedOnce() {
    AllowanceLedger ledger = ledger(0, 1, NONE);
    assertThat(granted(ledger, "a")).isTrue();
    assertThat(granted(ledger, "a")).isTrue();
    assertThat(granted(ledger, "b")).isFalse();
    ledger.answered("a", 0, false);
    assertThat(granted(ledger, "b")).isTrue();
    assertThat(ledger.totals().requests()).isEqualTo(2);
  }

  @Test
  void aRequestCountsForAMinuteAfterItWasSent() {
    AllowanceLedger ledger = ledger(2, 0, NONE);
    assertThat(granted(ledger, "a")).isTrue();
    pass(Duration.ofSeconds(30));
    assertThat(granted(ledger, "b")).isTrue();
    ledger.sent("a");
    pass(Duration.ofSeconds(60));
    assertThat(granted(ledger, "c")).isFalse();
    pass(Duration.ofSeconds(1));
    assertThat(granted(ledger, "c")).isTrue();
    assertThat(granted(ledger, "d")).as("b was never sent, and still may be").isFalse();
    ledger.answered("b", 0, false);
    pass(Duration.ofSeconds(61));
    assertThat(granted(ledger, "d")).isTrue();
  }

  @Test
  void aRequestThatWasNotSentCountsNoMore() {
    AllowanceLedger ledger = ledger(1, 0, NONE);
    assertThat(granted(ledger, "a")).isTrue();
    ledger.unused("a");
    assertThat(granted(ledger, "b")).isTrue();
    assertThat(ledger.totals().requests()).isEqualTo(1);
  }

  @Test
  void theRequestsOfAnExecutorThatDiesEndWithTheirLease() {
    AllowanceLedger ledger = ledger(0, 1, 10);
    assertThat(ledger.ask("a", 4).granted()).isTrue();
    pass(Duration.ofMinutes(4).minusSeconds(1));
    assertThat(granted(ledger, "b")).isFalse();
    pass(Duration.ofSeconds(1));
    assertThat(granted(ledger, "b")).isTrue();
    assertThat(ledger.totals()).isEqualTo(new Totals(2, 0, 4));
    ledger.answered("a", 4, false); // it is not dead after all
    assertThat(ledger.totals()).isEqualTo(new Totals(2, 0, 4));
  }

  @Test
  void theMaximumCostIsNotExceededAndWhatRequestsMayCostIsReserved() {
    AllowanceLedger ledger = ledger(0, 0, 10);
    assertThat(ledger.ask("a", 4).granted()).isTrue();
    assertThat(ledger.ask("b", 4).granted()).isTrue();
    AllowanceLedger.Reply third = ledger.ask("c", 4);
    assertThat(third.granted()).isFalse();
    assertThat(third.refusal()).as("the others may cost less").isNull();
    ledger.answered("a", 2, false);
    assertThat(ledger.ask("c", 4).granted()).isTrue();
    ledger.answered("b", 4, false);
    ledger.answered("c", 3, true);
    assertThat(ledger.ask("d", 4).refusal()).contains("maximum cost of 10.0", "9.0000 is spent");
    assertThat(ledger.ended()).isPresent();
    assertThat(ledger.totals()).isEqualTo(new Totals(3, 6, 3));
  }

  @Test
  void aDearerImageThanExpectedRaisesWhatIsReserved() {
    AllowanceLedger ledger = ledger(0, 0, 10);
    ledger.ask("a", 1);
    ledger.answered("a", 6, false);
    assertThat(ledger.ask("b", 1).refusal()).contains("one more image may cost 6.0000");
  }

  @Test
  void nothingIsGrantedDuringAPauseOrAfterTheEnd() {
    AllowanceLedger ledger = ledger(0, 0, NONE);
    ledger.pause(Duration.ofSeconds(5));
    ledger.pause(Duration.ofSeconds(1));
    assertThat(ledger.ask("a", 0).waitMillis()).isPositive();
    pass(Duration.ofSeconds(5));
    assertThat(granted(ledger, "a")).isTrue();
    ledger.end("first");
    ledger.end("second");
    assertThat(ledger.ask("b", 0).refusal()).isEqualTo("first");
    assertThat(granted(ledger, "a")).as("granted before").isTrue();
  }

  /** Requests arrive after their grant, at a time that the ledger does not know. */
  @Test
  void noMinuteOfTheEndpointHasMoreRequestsThanAllowed() {
    Random random = new Random(7);
    int perMinute = 20;
    AllowanceLedger ledger = ledger(perMinute, 6, NONE);
    Deque<String> open = new ArrayDeque<>();
    List<Long> arrivals = new ArrayList<>();
    int next = 0;
    for (int step = 0; step < 20_000; step++) {
      pass(Duration.ofMillis(random.nextInt(400)));
      if (random.nextInt(3) == 0 && !open.isEmpty()) {
        ledger.answered(open.remove(), 0, false);
      } else if (granted(ledger, "r" + next)) {
        open.add("r" + next);
        arrivals.add(now + Duration.ofMillis(random.nextInt(900)).toNanos());
        ledger.sent("r" + next++);
      }
      assertThat(open.size()).isLessThanOrEqualTo(6);
    }
    arrivals.sort((one, other) -> Long.compare(one - other, 0));
    for (int last = perMinute; last < arrivals.size(); last++) {
      assertThat(arrivals.get(last) - arrivals.get(last - perMinute))
          .isGreaterThanOrEqualTo(Duration.ofMinutes(1).toNanos());
    }
    double minutes = (arrivals.get(arrivals.size() - 1) - arrivals.get(0)) / 60e9;
    assertThat(arrivals.size() / minutes).isGreaterThan(0.9 * perMinute);
  }
}
