package io.lightmill.udfs.option;

/** What results in OpenAI's batch format contain of images, by the names of that format. */
public enum BatchImages {
  URL,
  B64_JSON
}
