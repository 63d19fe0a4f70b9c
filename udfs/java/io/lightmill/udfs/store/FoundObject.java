package io.lightmill.udfs.store;

import java.time.Instant;

/**
 * An object that was found under its key.
 *
 * @param bytes all of them; not to be changed
 * @param modified when it was stored, by the store's clock
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record FoundObject(byte[] bytes, Instant modified) {}
