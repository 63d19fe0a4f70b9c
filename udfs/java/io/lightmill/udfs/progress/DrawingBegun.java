package io.lightmill.udfs.progress;

import java.io.Serializable;

/** What a task tells the driver when its device has the model and it is its turn to draw. */
public record DrawingBegun(String runId) implements Serializable {}
