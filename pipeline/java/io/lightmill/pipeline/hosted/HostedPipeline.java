package io.lightmill.pipeline.hosted;

import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A model behind an API. Each image is one request, sent by the calling thread; several threads
 * send at the same time, as far as the {@link RequestAllowance} grants it. A request without effect
 * (HTTP 429, 5xx, no connection) is sent again after a pause; one whose answer is lost is not.
 *
 * <pre>{@code
 * HostedEndpoint endpoint = HostedEndpoint.parse("foundry:https://…/mai/v1/images/generations#MAI-Image-2e");
 * HostedCredential key = new NamedCredential(CredentialHeader.API_KEY, "AZURE_API_KEY", null);
 * DiffusionPipeline pipeline =
 *     new HostedPipeline(endpoint, HostedSettings.STANDARD, key, RequestAllowance.UNLIMITED);
 * }</pre>
 */
public final class HostedPipeline implements DiffusionPipeline {

  private static final int MOST_DOUBLINGS = 6;

  private final HostedEndpoint endpoint;
  private final HostedSettings settings;
  private final RequestAllowance allowance;
  private final HostedClient client;
  private final String digest;

  /** Connects when the first image is drawn. */
  public HostedPipeline(
      HostedEndpoint endpoint,
      HostedSettings settings,
      HostedCredential credential,
      RequestAllowance allowance) {
    this.endpoint = endpoint;
    this.settings = settings;
    this.allowance = allowance;
    this.client = new HostedClient(endpoint, settings, credential);
    this.digest = HostedIdentity.digest(endpoint, settings);
  }

  @Override
  public PipelineLimits limits() {
    return endpoint.limits();
  }

  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    return results(batch).stream().map(ImageResult::orElseThrow).toList();
  }

  @Override
  public List<ImageResult> results(List<ImageRequest> batch) {
    return batch.stream().map(this::result).toList();
  }

  private ImageResult result(ImageRequest request) {
    try {
      return answered(request);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while a request waits to be sent");
    }
  }

  private ImageResult answered(ImageRequest request) throws InterruptedException {
    long begun = System.nanoTime();
    HostedAnswer.TryAgain last = null;
    for (int attempt = 0; attempt < settings.attempts(); attempt++) {
      if (last != null) {
        Duration pause = pause(last, attempt);
        if (System.nanoTime() - begun + pause.toNanos() > settings.retryTime().toNanos()) {
          break;
        }
        Thread.sleep(pause.toMillis());
      }
      HostedAnswer answer;
      try {
        answer = sent(request);
      } catch (LightmillException e) {
        if (e.code() == ErrorCode.REQUEST_NOT_SENT || e.code() == ErrorCode.CONFIGURATION_INVALID) {
          return ImageResult.failed(e);
        }
        throw e;
      }
      if (!(answer instanceof HostedAnswer.TryAgain again)) {
        return result(answer);
      }
      last = again;
    }
    return failed(
        ErrorCode.PROVIDER_FAILED,
        "the endpoint did not answer with success in %d attempts or %d s, the last time with %s; run again later, or allow fewer requests (--requests-per-minute, --concurrent-requests)"
            .formatted(settings.attempts(), settings.retryTime().toSeconds(), last.reason()),
        OptionalDouble.empty());
  }

  private HostedAnswer sent(ImageRequest request) throws InterruptedException {
    double most =
        settings
            .prices()
            .most(
                endpoint,
                TokenPrices.RequestSize.of(request.width(), request.height(), request.prompt()));
    RequestAllowance.Permit permit = allowance.acquire(most);
    boolean over = false;
    try {
      SendLog.note();
      HostedAnswer answer = client.send(request, permit::sent);
      over = true;
      settle(permit, answer, most);
      return answer;
    } catch (CancellationException e) {
      over = true;
      permit.answered(most, true);
      throw e;
    } catch (LightmillException e) {
      if (e.code() == ErrorCode.CONFIGURATION_INVALID) {
        permit.end(e.getMessage()); // of all requests: no credential, or no trust
      }
      throw e;
    } finally {
      if (!over) {
        permit.unused();
      }
    }
  }

  private static void settle(RequestAllowance.Permit permit, HostedAnswer answer, double most) {
    if (answer instanceof HostedAnswer.Picture picture) {
      permit.answered(picture.cost().orElse(0), false);
    } else if (answer instanceof HostedAnswer.Unusable unusable) {
      permit.answered(unusable.cost().orElse(0), false);
    } else if (answer instanceof HostedAnswer.Lost) {
      permit.answered(most, true);
    } else {
      if (answer instanceof HostedAnswer.TryAgain again) {
        again.after().ifPresent(permit::pause);
      } else if (answer instanceof HostedAnswer.Refused refused && refused.all()) {
        permit.end("the endpoint refuses every request: " + refused.reason());
      }
      permit.answered(0, false);
    }
  }

  /**
   * The pause that the endpoint asks for, else twice the last one; plus up to half of it at random.
   */
  private Duration pause(HostedAnswer.TryAgain answer, int attempt) {
    Duration least =
        answer
            .after()
            .orElseGet(
                () ->
                    settings
                        .firstPause()
                        .multipliedBy(1L << Math.min(attempt - 1, MOST_DOUBLINGS)));
    Duration base = answer.after().isPresent() ? settings.firstPause() : least;
    return least.plusMillis(ThreadLocalRandom.current().nextLong(base.toMillis() / 2 + 1));
  }

  private ImageResult result(HostedAnswer answer) {
    if (answer instanceof HostedAnswer.Picture picture) {
      return ImageResult.of(picture.image(), DrawingFacts.ofCost(picture.cost()));
    } else if (answer instanceof HostedAnswer.Filtered filtered) {
      return ImageResult.blocked(
          DrawingFacts.ofVerdicts(
              filtered.categories().stream()
                  .map(category -> verdict(category, filtered.detail()))
                  .toList()));
    } else if (answer instanceof HostedAnswer.Unusable unusable) {
      return failed(
          ErrorCode.PROVIDER_ANSWER_INVALID,
          unusable.reason() + "; the request was paid, and a rerun sends it again",
          unusable.cost());
    } else if (answer instanceof HostedAnswer.Refused refused) {
      return failed(
          ErrorCode.PROVIDER_FAILED,
          "the endpoint refuses the request: %s; correct %s, and run again"
              .formatted(
                  refused.reason(),
                  refused.all() ? "the credential, the URL or the name of the model" : "the row"),
          OptionalDouble.empty());
    }
    HostedAnswer.Lost lost = (HostedAnswer.Lost) answer;
    return failed(
        ErrorCode.PROVIDER_ANSWER_LOST,
        "the answer was lost after the request was sent (%s), and the image may have been paid; --retry-uncertain sends the request again"
            .formatted(lost.reason()),
        OptionalDouble.empty());
  }

  private static ImageResult failed(ErrorCode code, String message, OptionalDouble cost) {
    return ImageResult.failed(new LightmillException(code, message), DrawingFacts.ofCost(cost));
  }

  private Verdict verdict(HostedAnswer.Category category, String detail) {
    return new Verdict(
        Verdict.Stage.PROVIDER,
        category.name(),
        severity(category.severity()),
        detail,
        Optional.empty(),
        Verdict.Action.BLOCK,
        digest);
  }

  private static Verdict.Severity severity(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "low" -> Verdict.Severity.LOW;
      case "medium" -> Verdict.Severity.MEDIUM;
      case "critical" -> Verdict.Severity.CRITICAL;
      default -> Verdict.Severity.HIGH;
    };
  }

  @Override
  public void close() {
    // Java's client ends its threads and connections when it is no longer reachable.
  }
}
