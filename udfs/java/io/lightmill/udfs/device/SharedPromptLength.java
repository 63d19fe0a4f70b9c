package io.lightmill.udfs.device;

import io.lightmill.pipeline.PromptLength;
import java.time.Duration;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.ToIntFunction;

/**
 * The tokenizer of a loader, shared by all tasks of this JVM. It may be closed while it is idle,
 * and is loaded again for the next prompt.
 */
final class SharedPromptLength implements PromptLength {

  private final PipelineLoader loader;

  /** Read: the tokenizer is in use. Write: it is loaded or closed. */
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  private PromptLength loaded;
  private volatile long lastUse;

  SharedPromptLength(PipelineLoader loader) {
    this.loader = loader;
    this.loaded = loader.promptLength();
    this.lastUse = System.nanoTime();
  }

  @Override
  public int tokens(String prompt) {
    return use(length -> length.tokens(prompt));
  }

  @Override
  public int most(int maxSequenceLength) {
    return use(length -> length.most(maxSequenceLength));
  }

  private int use(ToIntFunction<PromptLength> call) {
    while (true) {
      lock.readLock().lock();
      try {
        if (loaded != null) {
          lastUse = System.nanoTime();
          return call.applyAsInt(loaded);
        }
      } finally {
        lock.readLock().unlock();
      }
      load();
    }
  }

  private void load() {
    lock.writeLock().lock();
    try {
      if (loaded == null) {
        loaded = loader.promptLength();
        lastUse = System.nanoTime();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  /** Closes the tokenizer if no prompt has been counted for so long. */
  void closeIfIdle(Duration idle) {
    if (System.nanoTime() - lastUse >= idle.toNanos() && lock.writeLock().tryLock()) {
      try {
        unload();
      } finally {
        lock.writeLock().unlock();
      }
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      unload();
    } finally {
      lock.writeLock().unlock();
    }
  }

  private void unload() {
    if (loaded != null) {
      PromptLength before = loaded;
      loaded = null;
      before.close();
    }
  }
}
