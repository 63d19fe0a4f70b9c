package io.lightmill.pipeline.text;

/**
 * One prompt in token ids, as long as it was asked to be.
 *
 * @param ids special tokens and padding included
 * @param attentionMask 1 for each id that stands for text or a special token, 0 for padding
 * @param truncated whether text was cut off to fit
 */
@SuppressWarnings("ArrayRecordComponent") // a buffer for the engine; token ids are never compared
public record TokenIds(long[] ids, long[] attentionMask, boolean truncated) {}
