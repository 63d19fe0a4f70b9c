package io.lightmill.udfs.option;

/** What happens to images of one colour. */
public enum BlankImages {
  /** They fail with {@code IMAGE_BLANK}. */
  FAIL,
  /** They are stored as all others. */
  KEEP
}
