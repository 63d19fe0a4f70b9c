package io.lightmill.udfs.shard;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;

/**
 * Packs the staged images of a partition into shards. A row is returned when the shard with its
 * image is complete. While a shard is packed, the next images are drawn, so that the device does
 * not wait. At most the rows of two shards and one image are held in memory.
 */
public final class PackedRows implements Iterator<Row>, TaskCompletionListener {

  private final Iterator<Row> rows;
  private final int shardSize;
  private final RowImages images;
  private final ShardPacker packer;
  private final String prefix;
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private List<Row> waiting = new ArrayList<>();
  private Map<String, ShardImage> waitingImages = new LinkedHashMap<>();
  private Future<List<Row>> packing;
  private int shards;
  private Iterator<Row> ready = Collections.emptyIterator();

  /**
   * @param rows of the manifest; rows with the same image are adjacent
   * @param shardSize maximum number of images in a shard
   * @param prefix of the keys of this partition's shards
   */
  public PackedRows(
      Iterator<Row> rows, int shardSize, RowImages images, ShardPacker packer, String prefix) {
    this.rows = rows;
    this.shardSize = shardSize;
    this.images = images;
    this.packer = packer;
    this.prefix = prefix;
  }

  @Override
  public boolean hasNext() {
    try {
      while (!ready.hasNext()) {
        if (rows.hasNext()) {
          take(rows.next());
        } else if (!waiting.isEmpty()) {
          pack();
        } else if (packing != null) {
          ready = packed();
        } else {
          return false;
        }
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TaskKilledException("interrupted while packing");
    }
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.next();
  }

  private void take(Row row) throws InterruptedException {
    if (!images.staged(row)) {
      ready = List.of(row).iterator();
      return;
    }
    ShardImage image = images.image(row);
    if (waitingImages.size() == shardSize && !waitingImages.containsKey(image.member())) {
      pack();
    }
    waiting.add(row);
    waitingImages.putIfAbsent(image.member(), image);
  }

  /** Starts a shard when the previous one is complete. */
  private void pack() throws InterruptedException {
    if (packing != null) {
      ready = packed();
    }
    List<Row> members = waiting;
    List<ShardImage> content = List.copyOf(waitingImages.values());
    String name = "%s-%04d".formatted(prefix, shards++);
    packing =
        thread.submit(
            () -> {
              PackedShard shard = packer.pack(name, content);
              return members.stream().map(row -> images.packed(row, shard)).toList();
            });
    waiting = new ArrayList<>();
    waitingImages = new LinkedHashMap<>();
  }

  private Iterator<Row> packed() throws InterruptedException {
    Future<List<Row>> last = packing;
    packing = null;
    try {
      return last.get().iterator();
    } catch (ExecutionException e) {
      throw ExceptionUtils.<RuntimeException>rethrow(e.getCause());
    }
  }

  @Override
  public void onTaskCompletion(TaskContext ended) {
    thread.shutdownNow();
  }
}
