package io.lightmill.pipeline.policy;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The number of states of a pattern's automaton, about. Its memory and its time for each character
 * grow with it, and RE2/J writes out counted repetitions: {@code ((a{1000}){1000}){1000}} has a
 * billion.
 */
final class PatternCost {

  /** Of all patterns of a policy together. */
  static final long MOST = 10_000;

  private static final Pattern COUNTED = Pattern.compile("\\{(\\d{1,9})(?:,(\\d{0,9}))?\\}");

  private PatternCost() {}

  /** The cost; too large values are all {@link Long#MAX_VALUE} or less. */
  static long of(String pattern) {
    Deque<Long> outside = new ArrayDeque<>();
    Matcher counted = COUNTED.matcher(pattern);
    long sum = 0;
    long last = 0;
    int at = 0;
    while (at < pattern.length()) {
      char c = pattern.charAt(at);
      if (pattern.startsWith("\\Q", at)) { // text without operators
        int end = pattern.indexOf("\\E", at);
        int text = end < 0 ? pattern.length() : end;
        sum = Math.min(Long.MAX_VALUE / 4, sum + last + text - at);
        last = 1;
        at = text + 2;
      } else if (c == '(') {
        outside.push(sum + last);
        sum = 0;
        last = 0;
        at++;
      } else if (c == ')' && !outside.isEmpty()) {
        last = Math.min(Long.MAX_VALUE / 4, sum + last + 1);
        sum = outside.pop();
        at++;
      } else if (c == '{' && counted.region(at, pattern.length()).lookingAt()) {
        String most = Objects.requireNonNullElse(counted.group(2), "");
        long times = Long.parseLong(most.isEmpty() ? counted.group(1) : most);
        last = last > MOST || times > MOST ? MOST + 1 : last * Math.max(1, times);
        at = counted.end();
      } else {
        sum = Math.min(Long.MAX_VALUE / 4, sum + last);
        last = 1;
        at = c == '[' ? endOfClass(pattern, at) : at + (c == '\\' ? 2 : 1);
      }
    }
    return sum + last + outside.stream().mapToLong(Long::longValue).sum();
  }

  private static int endOfClass(String pattern, int start) {
    int at = start + 1;
    while (at < pattern.length() && (pattern.charAt(at) != ']' || at == start + 1)) {
      at += pattern.charAt(at) == '\\' ? 2 : 1;
    }
    return at + 1;
  }
}
