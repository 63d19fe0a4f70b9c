package io.lightmill.udfs.store;

import java.time.Instant;

/**
 * An entry of a listing.
 *
 * @param key relative to the root of the store
 * @param bytes the object's length
 * @param modified when it was stored, by the store's clock
 */
public record ListedObject(String key, long bytes, Instant modified) {}
