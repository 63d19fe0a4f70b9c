package io.lightmill.udfs.progress;

import java.io.Serializable;

/**
 * A task's message to the driver: its device has the model, and it starts to draw.
 *
 * @param run see {@link DrawingStop#key}
 */
public record DrawingBegun(String run) implements Serializable {}
