package io.lightmill.pipeline.vae;

/** What is common to the configs of autoencoders. */
public interface VaeConfig {

  /** What probes call the decoded images before they are clamped, {@code [batch, 3, …]}. */
  String DECODED = "vae_decoded";

  /** Channels of the latents. */
  int latentChannels();

  /** Pixels along a latent's side. */
  int scaleFactor();

  /** Input channels of the decoder's last level, which works at the image's own size. */
  int fullSizeChannels();
}
