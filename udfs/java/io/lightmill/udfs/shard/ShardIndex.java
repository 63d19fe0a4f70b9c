package io.lightmill.udfs.shard;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.Comparator;
import java.util.List;

/**
 * The index of the shards of one run, in the format of webdataset's {@code wids}. It holds the
 * number of samples of each shard, so that a reader can access any sample.
 *
 * @param shards sorted by name
 */
public record ShardIndex(
    @JsonProperty("__kind__") String kind,
    @JsonProperty("wids_version") int version,
    String name,
    @JsonProperty("shardlist") List<Shard> shards) {

  /** Name of the file, which is beside the shards. */
  public static final String FILE = "index.json";

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /**
   * One shard.
   *
   * @param url relative to the index
   * @param samples in it
   * @param bytes its length
   */
  public record Shard(
      String url, @JsonProperty("nsamples") long samples, @JsonProperty("filesize") long bytes) {}

  /** The index of a run. */
  public static ShardIndex of(String runId, List<Shard> shards) {
    return new ShardIndex(
        "wids-shard-index-v1",
        1,
        runId,
        shards.stream().sorted(Comparator.comparing(Shard::url)).toList());
  }

  /** The content of the file. */
  public byte[] json() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings and numbers can always be written as JSON", e);
    }
  }
}
