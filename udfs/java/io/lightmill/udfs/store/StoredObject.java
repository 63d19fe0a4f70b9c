package io.lightmill.udfs.store;

/**
 * A complete object in the store.
 *
 * @param path its full URI in Hadoop's form
 * @param bytes its length
 * @param sha256 of its bytes, in lower-case hex
 */
public record StoredObject(String path, long bytes, String sha256) {}
