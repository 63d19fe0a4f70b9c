package io.lightmill.udfs.earlier;

import io.lightmill.udfs.store.ImageStore;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.ForeachPartitionFunction;
import io.lightmill.udfs.store.SharedConfiguration;

/** Removes objects of an output by their keys, up to a thousand in one call. */
record RemoveObjects(String output, SharedConfiguration hadoop)
    implements ForeachPartitionFunction<String> {

  private static final int MAX_KEYS = 1000;

  @Override
  public void call(Iterator<String> keys) {
    ImageStore store = ImageStore.open(output, hadoop.value());
    List<String> chunk = new ArrayList<>();
    while (keys.hasNext()) {
      chunk.add(keys.next());
      if (chunk.size() == MAX_KEYS || !keys.hasNext()) {
        store.removal().objects(chunk);
        chunk.clear();
      }
    }
  }
}
