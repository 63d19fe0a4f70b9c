package io.lightmill.udfs.progress;

import java.io.Serializable;

/**
 * What a generating task tells the driver.
 *
 * @param finished manifest rows of this partition so far, in one attempt at it
 */
record TaskProgress(String runId, int partition, long finished) implements Serializable {}
