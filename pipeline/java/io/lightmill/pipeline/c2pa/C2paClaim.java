package io.lightmill.pipeline.c2pa;

import java.time.Instant;
import java.util.Optional;

/**
 * The content of a manifest apart from the hash of the image.
 *
 * @param software that made the file
 * @param system name of the model
 * @param created when the image was generated
 */
public record C2paClaim(String software, String system, Optional<Instant> created) {}
