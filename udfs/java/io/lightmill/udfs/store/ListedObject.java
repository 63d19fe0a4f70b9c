package io.lightmill.udfs.store;

import java.time.Instant;

/**
 * An object as a listing shows it.
 *
 * @param key below the root of its store
 * @param bytes its length
 * @param modified when it was stored, by the store's clock
 */
public record ListedObject(String key, long bytes, Instant modified) {}
