package io.lightmill.udfs.store;

import java.time.Instant;

/**
 * An existing object.
 *
 * @param bytes of the object, which must not be modified
 * @param modified when it was stored, by the store's clock
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record FoundObject(byte[] bytes, Instant modified) {}
