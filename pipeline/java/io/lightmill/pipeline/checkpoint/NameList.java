package io.lightmill.pipeline.checkpoint;

import java.util.Collection;
import java.util.stream.Collectors;

/** Names in messages: ten at most, then how many there are. */
public final class NameList {

  private static final int MOST = 10;

  private NameList() {}

  /** Names, separated by commas. */
  public static String of(Collection<String> names) {
    return of(names, ", ");
  }

  /** Names or phrases with a separator. */
  public static String of(Collection<String> names, String separator) {
    String first = names.stream().limit(MOST).collect(Collectors.joining(separator));
    return names.size() <= MOST
        ? first
        : "%s%s… (%d in all)".formatted(first, separator, names.size());
  }
}
