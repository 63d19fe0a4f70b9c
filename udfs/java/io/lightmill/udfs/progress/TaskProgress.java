package io.lightmill.udfs.progress;

import java.io.Serializable;

/**
 * A task's message to the driver.
 *
 * @param run see {@link DrawingStop#key}
 * @param drawn images of this partition so far, in one attempt at it
 */
record TaskProgress(String run, int partition, long drawn) implements Serializable {}
