package io.lightmill.udfs.run;

import io.lightmill.udfs.store.StoreOutage;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open resources of a run, which are closed in reverse order. A failure to close one is logged,
 * so that it hides neither the failure nor the success of the run.
 */
final class Resources implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Resources.class);

  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  <T extends AutoCloseable> T add(T resource) {
    open.push(resource);
    return resource;
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      AutoCloseable resource = open.pop();
      try {
        resource.close();
      } catch (Exception e) { // AutoCloseable declares it
        String name = resource.getClass().getSimpleName();
        if (StoreOutage.isCauseOf(e)) {
          LOG.warn("{} cannot be closed: {}", name, e.toString());
        } else {
          LOG.warn("{} cannot be closed", name, e);
        }
      }
    }
  }
}
