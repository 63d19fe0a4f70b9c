package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.nio.file.Path;

/**
 * Where a {@link ComponentConfig} comes from, for its messages.
 *
 * @param name of the file, or a description such as {@code the case 'a' of the reference}
 * @param path that precedes every key in messages, such as {@code text_config.}
 * @param code of all errors
 * @param fix what a user can do about an invalid value
 */
public record ConfigSource(String name, String path, ErrorCode code, String fix) {

  /** A file of a checkpoint. */
  static ConfigSource of(Path file) {
    return new ConfigSource(
        file.toString(), "", ErrorCode.CHECKPOINT_INVALID, "fix it or fetch the checkpoint again");
  }

  /** For an object that is the value of a key, or an element of it. */
  public ConfigSource below(String key) {
    return new ConfigSource(name, path + key + ".", code, fix);
  }

  LightmillException invalid(String fault, Throwable cause) {
    return new LightmillException(code, "%s %s; %s".formatted(name, fault, fix), cause);
  }
}
