package io.lightmill.pipeline.lora;

/**
 * The target of some rows of an adapter's up matrix: the outputs of a layer, or one of several
 * equal parts of them.
 *
 * @param layer of the network
 * @param part of the layer's outputs, from 0
 * @param of number of parts
 */
record LayerPart(String layer, int part, int of) {

  static LayerPart whole(String layer) {
    return new LayerPart(layer, 0, 1);
  }

  /** Reads {@code layer} or {@code layer[part/of]}. */
  static LayerPart parse(String text) {
    int bracket = text.indexOf('[');
    if (bracket < 0) {
      return whole(text);
    }
    int slash = text.indexOf('/', bracket);
    return new LayerPart(
        text.substring(0, bracket),
        Integer.parseInt(text.substring(bracket + 1, slash)),
        Integer.parseInt(text.substring(slash + 1, text.length() - 1)));
  }
}
