package io.lightmill.udfs.estimate;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * A positive function of a positive size that passes through measured points: between two points it
 * is the power law through both. Beyond the outermost points it continues with the exponent of the
 * nearest two, kept between 0 and 2, since work grows at most with the square of the tokens. With a
 * single point it is proportional to the size.
 */
final class PowerCurve {

  private static final double STEEPEST = 2;

  private final NavigableMap<Double, Double> points = new TreeMap<>();

  /**
   * @param points values by size, at least one; sizes above 0, values at least 0
   */
  PowerCurve(Map<Double, Double> points) {
    points.forEach((size, value) -> this.points.put(size, Math.max(value, Double.MIN_NORMAL)));
  }

  double at(double size) {
    Map.Entry<Double, Double> below = points.floorEntry(size);
    Map.Entry<Double, Double> above = points.ceilingEntry(size);
    if (below != null && above != null) {
      return below.equals(above) ? below.getValue() : from(below, exponent(below, above), size);
    }
    if (points.size() == 1) {
      return from(points.firstEntry(), 1, size);
    }
    Map.Entry<Double, Double> outer = below == null ? points.firstEntry() : points.lastEntry();
    Map.Entry<Double, Double> inner =
        below == null ? points.higherEntry(outer.getKey()) : points.lowerEntry(outer.getKey());
    return from(outer, Math.max(0, Math.min(STEEPEST, exponent(inner, outer))), size);
  }

  private static double from(Map.Entry<Double, Double> point, double exponent, double size) {
    return point.getValue() * Math.pow(size / point.getKey(), exponent);
  }

  private static double exponent(Map.Entry<Double, Double> one, Map.Entry<Double, Double> other) {
    return Math.log(other.getValue() / one.getValue()) / Math.log(other.getKey() / one.getKey());
  }
}
