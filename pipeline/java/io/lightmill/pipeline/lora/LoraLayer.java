package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.checkpoint.TensorEntry;

/**
 * What an adapter adds to one layer of a network.
 *
 * @param component of the network
 * @param layer of the network
 * @param outputs of the layer
 * @param down {@code [rank, inputs]}
 * @param up {@code [rows, rank]}
 * @param firstRow of the up matrix that belongs to the layer
 * @param rows that belong to it
 * @param place of the first of them among the layer's outputs
 * @param scale of the product
 */
record LoraLayer(
    String component,
    String layer,
    long outputs,
    TensorEntry down,
    TensorEntry up,
    long firstRow,
    long rows,
    long place,
    double scale) {}
