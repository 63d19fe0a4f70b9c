package io.lightmill.udfs.earlier;

import io.lightmill.udfs.store.ImageStore;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.ForeachPartitionFunction;
import org.apache.spark.util.SerializableConfiguration;

/** Removes objects of an output, by their keys, some hundreds at a time. */
record RemoveObjects(String output, SerializableConfiguration hadoop)
    implements ForeachPartitionFunction<String> {

  private static final int MOST_AT_A_TIME = 1000;

  @Override
  public void call(Iterator<String> keys) {
    ImageStore store = ImageStore.open(output, hadoop.value());
    List<String> some = new ArrayList<>();
    while (keys.hasNext()) {
      some.add(keys.next());
      if (some.size() == MOST_AT_A_TIME || !keys.hasNext()) {
        store.removal().objects(some);
        some.clear();
      }
    }
  }
}
