package io.lightmill.udfs.column;

import java.util.Map;

/** Adds the value of one column to the canonical JSON that identifies an image. */
@FunctionalInterface
interface IdentityPart<T> {

  /**
   * @param value null if the image has none
   * @param adapters digests of the adapters' files, by name
   */
  void put(Map<String, Object> parts, String column, T value, Map<String, String> adapters);
}
