package io.lightmill.pipeline.torch;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Tensors that are computed once and used again, by what they are computed from. The least recently
 * used ones are dropped when the others need their memory. Safe for use by several threads; whoever
 * takes a value closes it, and may use it after it was dropped here.
 *
 * @param <K> all that the value depends on
 */
public final class TensorCache<K, V extends TensorCache.Shared<V>> implements AutoCloseable {

  /** A value with several handles, whose memory is freed when the last of them is closed. */
  public interface Shared<V> extends AutoCloseable {

    /** Another handle. */
    V share();

    /** Memory that it takes. */
    long bytes();

    @Override
    void close();
  }

  private record Entry<V>(V value, long bytes) {}

  private final long mostBytes;
  private final Map<K, Entry<V>> entries = new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true);
  private long bytes;
  private boolean closed;

  /**
   * @param mostBytes of all values; a larger value is not kept
   */
  public TensorCache(long mostBytes) {
    this.mostBytes = mostBytes;
  }

  /** The value of a key, to be closed by the caller; empty if it is not here. */
  public synchronized Optional<V> find(K key) {
    return Optional.ofNullable(entries.get(key)).map(entry -> entry.value().share());
  }

  /**
   * Keeps a value for others.
   *
   * @param value taken over
   * @return the value of the key, to be closed by the caller
   */
  public synchronized V keep(K key, V value) {
    long size = value.bytes();
    if (closed || size > mostBytes) {
      return value;
    }
    V shared = value.share();
    Entry<V> before = entries.put(key, new Entry<>(value, size)); // of another thread
    bytes += size;
    if (before != null) {
      drop(before);
    }
    Iterator<Entry<V>> eldest = entries.values().iterator();
    while (bytes > mostBytes) {
      Entry<V> dropped = eldest.next();
      eldest.remove();
      drop(dropped);
    }
    return shared;
  }

  /** The value of a key, computed unless it is here; to be closed by the caller. */
  public V get(K key, Supplier<V> computing) {
    return find(key).orElseGet(() -> keep(key, computing.get()));
  }

  /** Bytes of all values that are here. */
  synchronized long bytes() {
    return bytes;
  }

  private void drop(Entry<V> entry) {
    bytes -= entry.bytes();
    entry.value().close();
  }

  /** Drops all values; none is kept from now on. */
  @Override
  public synchronized void close() {
    closed = true;
    entries.values().forEach(this::drop);
    entries.clear();
  }
}
