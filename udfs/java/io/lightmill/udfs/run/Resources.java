package io.lightmill.udfs.run;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a run has open. Closes the last one first. What cannot be closed is logged: it must hide
 * neither the failure of a run nor its success.
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
        LOG.warn("{} cannot be closed", resource.getClass().getSimpleName(), e);
      }
    }
  }
}
