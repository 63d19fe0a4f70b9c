package io.lightmill.pipeline.c2pa;

import java.time.Instant;
import java.util.Optional;

/**
 * What a manifest says of an image besides its hash.
 *
 * @param software that made the file
 * @param system name of the model
 * @param created when the image was generated
 */
public record C2paClaim(String software, String system, Optional<Instant> created) {}
