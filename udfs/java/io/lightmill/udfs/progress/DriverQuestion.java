package io.lightmill.udfs.progress;

import java.io.Serializable;

/** A message from a task that the driver answers. */
public interface DriverQuestion extends Serializable {

  /** Called in the driver. The answer is serializable; null for a message without one. */
  Object answer();
}
