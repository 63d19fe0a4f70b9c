package io.lightmill.udfs.store;

/**
 * An object that stands, whole, in the store.
 *
 * @param path its full URI, as Hadoop writes it
 * @param bytes its length
 * @param sha256 of its bytes, in lower-case hex
 */
public record StoredObject(String path, long bytes, String sha256) {}
