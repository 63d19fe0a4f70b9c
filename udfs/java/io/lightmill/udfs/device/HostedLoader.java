package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.hosted.EstimatedPromptLength;
import io.lightmill.pipeline.hosted.HostedCredential;
import io.lightmill.pipeline.hosted.HostedEndpoint;
import io.lightmill.pipeline.hosted.HostedPipeline;
import io.lightmill.pipeline.hosted.HostedSettings;
import io.lightmill.pipeline.hosted.RequestAllowance;
import java.util.Optional;

/**
 * Connects to a hosted model. It travels with tasks and has no secret: each process reads its
 * credential itself.
 *
 * @param allowance of the run, serializable
 */
public record HostedLoader(
    HostedEndpoint endpoint,
    HostedSettings settings,
    HostedCredential credential,
    RequestAllowance allowance)
    implements PipelineLoader {

  @Override
  public String key() {
    return String.join(
        " ", endpoint.location(), settings.toString(), credential.toString(), allowance.toString());
  }

  @Override
  public PromptLength promptLength() {
    return new EstimatedPromptLength();
  }

  @Override
  public DiffusionPipeline load(Device device) {
    return new HostedPipeline(endpoint, settings, credential, allowance);
  }

  @Override
  public Optional<HostedLoader> hosted() {
    return Optional.of(this);
  }
}
