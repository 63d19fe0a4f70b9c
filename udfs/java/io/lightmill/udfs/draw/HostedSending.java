package io.lightmill.udfs.draw;

import java.io.Serializable;
import java.time.Duration;

/**
 * How the images of a hosted model are requested.
 *
 * @param atOnce requests that a task may have at once
 * @param longest after this time a request has ended, whatever became of its process
 * @param model location of the model
 */
public record HostedSending(int atOnce, Duration longest, String model) implements Serializable {}
