package io.lightmill.udfs.column;

import io.lightmill.pipeline.PipelineLimits;
import java.io.Serializable;
import java.util.List;

/**
 * What the values of a row are validated against.
 *
 * @param checkpoint what the checkpoint accepts
 * @param adapters names of the adapters that the job declares, sorted
 */
public record RequestLimits(PipelineLimits checkpoint, List<String> adapters)
    implements Serializable {

  public RequestLimits {
    adapters = adapters.stream().sorted().toList();
  }
}
