package io.lightmill.udfs.column;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import java.io.Serializable;
import java.util.List;
import java.util.Set;

/**
 * What the values of a row are validated against.
 *
 * @param checkpoint what the checkpoint accepts
 * @param adapters names of the adapters that the job declares, sorted
 * @param refused names of columns that may have no values
 */
public record RequestLimits(PipelineLimits checkpoint, List<String> adapters, Set<String> refused)
    implements Serializable {

  /** Accept what some checkpoint accepts, and every adapter. */
  public static final RequestLimits WIDEST =
      new RequestLimits(
          new PipelineLimits(
              1,
              Integer.MAX_VALUE,
              Long.MAX_VALUE,
              Integer.MAX_VALUE,
              1,
              ClassifierFreeGuidance.TRUE_CFG_SCALE,
              new PipelineLimits.Defaults(1, 1, 1, 0, 1, 1)),
          List.of(),
          Set.of());

  public RequestLimits {
    adapters = adapters.stream().sorted().toList();
    refused = Set.copyOf(refused);
  }

  /** Whether rows may name an adapter. */
  boolean hasAdapter(String name) {
    return equals(WIDEST) || adapters.contains(name);
  }
}
