package io.lightmill.udfs.hosted;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.hosted.AllowanceLedger;
import io.lightmill.pipeline.hosted.RequestAllowance;
import io.lightmill.udfs.progress.DriverQuestion;
import io.lightmill.udfs.progress.ProgressPlugin;
import java.io.Serializable;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The request allowance of a run, shared by all its tasks. The driver has the ledger; tasks ask it
 * over Spark's own RPC ({@link ProgressPlugin}), so that no further port is open and messages are
 * authenticated and encrypted as Spark's are. A task that gets no answer sends nothing.
 *
 * @param run name of the ledger in its driver
 */
public record RunAllowance(String run) implements RequestAllowance, Serializable {

  private static final Duration UNANSWERED = Duration.ofSeconds(1);

  /** Ledgers of the runs of this driver. */
  private static final Map<String, Open> OPEN = new ConcurrentHashMap<>();

  /**
   * A ledger of this driver.
   *
   * @param ended why the run ends early; empty while it continues
   */
  private record Open(AllowanceLedger ledger, Supplier<Optional<String>> ended) {}

  /** Opens a ledger in this JVM, which is the driver. */
  public static RunAllowance open(AllowanceLedger ledger) {
    RunAllowance allowance = new RunAllowance(UUID.randomUUID().toString());
    OPEN.put(allowance.run, new Open(ledger, Optional::empty));
    return allowance;
  }

  /** From now on no request is granted once the run is to end. */
  public void endWhen(Supplier<Optional<String>> ended) {
    OPEN.computeIfPresent(run, (key, open) -> new Open(open.ledger, ended));
  }

  /** The ledger; empty outside of the driver, and once it is closed. */
  public Optional<AllowanceLedger> ledger() {
    return Optional.ofNullable(OPEN.get(run)).map(Open::ledger);
  }

  /** Closes the ledger: tasks that are left over from the run get no request. */
  public void close() {
    OPEN.remove(run);
  }

  private enum Event {
    SENT,
    ANSWERED,
    LOST,
    UNUSED
  }

  /** Asks whether a request may be sent. */
  private record PermitQuestion(String run, String name, double mostCost)
      implements DriverQuestion {

    @Override
    public Object answer() {
      Open open = OPEN.get(run);
      if (open == null) {
        return AllowanceLedger.Reply.refused("the run has ended");
      }
      Optional<String> ended = open.ended.get();
      return ended
          .map(AllowanceLedger.Reply::refused)
          .orElseGet(() -> open.ledger.ask(name, mostCost));
    }
  }

  /** Reports the state of a request. */
  private record RequestReport(String run, String name, Event event, double cost)
      implements DriverQuestion {

    @Override
    public Object answer() {
      Open open = OPEN.get(run);
      if (open != null) {
        switch (event) {
          case SENT -> open.ledger.sent(name);
          case ANSWERED -> open.ledger.answered(name, cost, false);
          case LOST -> open.ledger.answered(name, cost, true);
          case UNUSED -> open.ledger.unused(name);
        }
      }
      return null;
    }
  }

  /** Reports that the endpoint asks for a pause, or refuses all requests. */
  private record EndpointReport(String run, Duration pause, String end) implements DriverQuestion {

    @Override
    public Object answer() {
      Open open = OPEN.get(run);
      if (open != null && pause != null) {
        open.ledger.pause(pause);
      } else if (open != null) {
        open.ledger.end(end);
      }
      return null;
    }
  }

  @Override
  public Permit acquire(double mostCost) throws InterruptedException {
    String name = UUID.randomUUID().toString();
    while (true) {
      Optional<AllowanceLedger.Reply> reply =
          ProgressPlugin.ask(new PermitQuestion(run, name, mostCost))
              .map(AllowanceLedger.Reply.class::cast);
      if (reply.isPresent() && reply.get().granted()) {
        return new Granted(name);
      }
      if (reply.isPresent() && reply.get().refusal() != null) {
        throw new LightmillException(ErrorCode.REQUEST_NOT_SENT, reply.get().refusal());
      }
      Thread.sleep(reply.map(AllowanceLedger.Reply::waitMillis).orElseGet(UNANSWERED::toMillis));
    }
  }

  /** A granted request. */
  private final class Granted implements Permit {

    private final String name;

    Granted(String name) {
      this.name = name;
    }

    private void report(Event event, double cost) {
      ProgressPlugin.send(new RequestReport(run, name, event, cost));
    }

    @Override
    public void sent() {
      report(Event.SENT, 0);
    }

    @Override
    public void answered(double cost, boolean lost) {
      report(lost ? Event.LOST : Event.ANSWERED, cost);
    }

    @Override
    public void unused() {
      report(Event.UNUSED, 0);
    }

    @Override
    public void pause(Duration time) {
      ProgressPlugin.send(new EndpointReport(run, time, null));
    }

    @Override
    public void end(String reason) {
      ProgressPlugin.send(new EndpointReport(run, null, reason));
    }
  }
}
