package io.lightmill.pipeline.verify;

/**
 * How far one quantity is from its recording.
 *
 * @param caseName of the recorded call
 * @param quantity such as {@code transformer, call 3}
 * @param difference the largest, absolute or relative as the limit says; infinite where shapes
 *     differ or the quantity was not computed
 * @param limit in words
 * @param holds whether every element is within the limit
 */
public record Comparison(
    String caseName, String quantity, double difference, String limit, boolean holds) {}
