package io.lightmill.udfs.store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.Text;
import org.apache.spark.sql.catalyst.expressions.XXH64;
import org.apache.spark.unsafe.Platform;

/**
 * A Hadoop configuration that travels with tasks. A JVM reads it once and not with each of its
 * tasks, which takes longer than a small task.
 */
public final class SharedConfiguration implements Serializable {

  private static final long serialVersionUID = 1L;

  /** More than the configurations of the runs that are active at a time. */
  private static final int MOST_OPEN = 32;

  /** Configurations that tasks of this JVM have, by digest. */
  private static final Map<String, Configuration> OPEN =
      Collections.synchronizedMap(
          new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Configuration> eldest) {
              return size() > MOST_OPEN;
            }
          });

  private transient Configuration value;
  private transient byte[] written;
  private transient String digest;

  public SharedConfiguration(Configuration value) {
    this.value = value;
  }

  /** The configuration, which must not be changed. */
  public Configuration value() {
    return value;
  }

  private void writeObject(ObjectOutputStream out) throws IOException {
    if (written == null) {
      written = written(value);
      digest = digest(written); // once: a run serializes each function several times
    }
    out.writeUTF(digest);
    out.writeInt(written.length);
    out.write(written);
  }

  /**
   * The entries. Hadoop's own form has where each of some 1,500 comes from as well, each in a gzip
   * stream of its own.
   */
  private static byte[] written(Configuration configuration) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    for (Map.Entry<String, String> entry : configuration) {
      Text.writeString(out, entry.getKey());
      Text.writeString(out, entry.getValue());
    }
    return bytes.toByteArray();
  }

  /** 128 bits that no two configurations share by chance, in a tenth of the time of a SHA-256. */
  private static String digest(byte[] bytes) {
    return Long.toHexString(hash(bytes, 0)) + "-" + Long.toHexString(hash(bytes, 1));
  }

  private static long hash(byte[] bytes, long seed) {
    return XXH64.hashUnsafeBytes(bytes, Platform.BYTE_ARRAY_OFFSET, bytes.length, seed);
  }

  private void readObject(ObjectInputStream in) throws IOException {
    String digest = in.readUTF();
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    value = OPEN.computeIfAbsent(digest, key -> read(bytes));
  }

  private static Configuration read(byte[] bytes) {
    Configuration read = new Configuration(false);
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      while (in.available() > 0) {
        read.set(Text.readString(in), Text.readString(in));
      }
    } catch (IOException e) { // bytes of this class are complete
      throw new UncheckedIOException(e);
    }
    return read;
  }
}
