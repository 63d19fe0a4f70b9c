package io.lightmill.udfs.progress;

import java.io.Serializable;

/**
 * A task's message to the driver.
 *
 * @param run see {@link DrawingStop#key}
 * @param finished manifest rows of this partition so far, in one attempt at it
 */
record TaskProgress(String run, int partition, long finished) implements Serializable {}
