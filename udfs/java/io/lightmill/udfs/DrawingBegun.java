package io.lightmill.udfs;

import java.io.Serializable;

/** What a task tells the driver when its device has the model and it is its turn to draw. */
record DrawingBegun(String runId) implements Serializable {}
