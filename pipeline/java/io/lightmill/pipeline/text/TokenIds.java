package io.lightmill.pipeline.text;

/**
 * The token ids of one prompt, in the requested length.
 *
 * @param ids including special tokens and padding
 * @param attentionMask 1 for text and special tokens, 0 for padding
 */
@SuppressWarnings("ArrayRecordComponent") // a buffer for the engine; token ids are never compared
public record TokenIds(long[] ids, long[] attentionMask) {}
