package io.lightmill.pipeline.hosted;

import io.lightmill.pipeline.RgbImage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** How a request ended. */
sealed interface HostedAnswer {

  /** The image. */
  record Picture(RgbImage image, OptionalDouble cost) implements HostedAnswer {}

  /**
   * The provider's filter blocks the prompt or the image.
   *
   * @param categories at least one
   * @param detail what the answer says, and its request id
   */
  record Filtered(List<Category> categories, String detail) implements HostedAnswer {}

  /**
   * A category of the provider's filter.
   *
   * @param severity as the provider names it; empty if it does not
   */
  record Category(String name, String severity) {}

  /**
   * The request had no effect and may be sent again.
   *
   * @param after what the endpoint says
   */
  record TryAgain(Optional<Duration> after, String reason) implements HostedAnswer {}

  /** The connection ended after the request was sent: its effect is not known. */
  record Lost(String reason) implements HostedAnswer {}

  /**
   * The request is refused.
   *
   * @param all whether every other request would be too
   */
  record Refused(String reason, boolean all) implements HostedAnswer {}

  /** The request succeeded, but its answer has no usable image. */
  record Unusable(String reason, OptionalDouble cost) implements HostedAnswer {}
}
