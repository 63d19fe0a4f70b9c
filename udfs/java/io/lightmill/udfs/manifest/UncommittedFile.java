package io.lightmill.udfs.manifest;

import io.lightmill.udfs.store.ObjectBody;

/**
 * A complete file that is not committed yet.
 *
 * @param body its content
 * @param deletion deletes it
 */
public record UncommittedFile(ObjectBody body, Runnable deletion) implements AutoCloseable {

  @Override
  public void close() {
    deletion.run();
  }
}
