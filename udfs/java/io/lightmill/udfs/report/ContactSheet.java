package io.lightmill.udfs.report;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.Pixels;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * A printed photographer's contact sheet: strips of film on paper, one frame for each row. Drawn
 * with shapes only, since a headless Java runtime without font configuration cannot draw text.
 */
public final class ContactSheet {

  /** Most frames of one sheet; of longer jobs take an {@link EvenSample}. */
  public static final int MAX_TILES = 200;

  private static final Color PAPER = new Color(0xf3efe6);
  private static final Color FILM = new Color(0x17140f);
  private static final Color HOLE = new Color(0xe4ded1);
  private static final Color UNEXPOSED = new Color(0x2b2620);
  private static final Color GREASE_PENCIL = new Color(0xe5484d);

  private static final int MARGIN = 40;
  static final int FRAME = 224;
  private static final int FRAME_GAP = 10;
  private static final int REBATE = 26;
  private static final int STRIP_GAP = 22;
  private static final int HOLES = 8;

  private static final int STRIP = FRAME + 2 * REBATE;
  private static final int MIN_COLUMNS = 4;
  private static final int MAX_COLUMNS = 8;

  private ContactSheet() {}

  /**
   * Draws the tiles row by row.
   *
   * @param tiles 1 to {@value #MAX_TILES}
   * @return a sheet of four to eight columns, about square
   */
  public static RgbImage draw(List<Tile> tiles) {
    if (tiles.isEmpty() || tiles.size() > MAX_TILES) {
      throw new IllegalArgumentException(
          "%d tiles for a sheet of 1 to %d".formatted(tiles.size(), MAX_TILES));
    }
    int columns = columns(tiles.size());
    int rows = (tiles.size() + columns - 1) / columns;
    BufferedImage sheet =
        new BufferedImage(
            2 * MARGIN + columns * (FRAME + FRAME_GAP) + FRAME_GAP,
            2 * MARGIN + rows * STRIP + (rows - 1) * STRIP_GAP,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    graphics.setColor(PAPER);
    graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    for (int row = 0; row < rows; row++) {
      List<Tile> strip = tiles.subList(row * columns, Math.min(tiles.size(), (row + 1) * columns));
      drawStrip(graphics, strip, MARGIN + row * (STRIP + STRIP_GAP));
    }
    graphics.dispose();
    return Pixels.copy(sheet);
  }

  /** The square root, so that sheets grow in both directions, between four and eight. */
  static int columns(int tiles) {
    return Math.max(MIN_COLUMNS, Math.min(MAX_COLUMNS, (int) Math.ceil(Math.sqrt(tiles))));
  }

  private static void drawStrip(Graphics2D graphics, List<Tile> strip, int y) {
    graphics.setColor(FILM);
    graphics.fillRect(MARGIN, y, strip.size() * (FRAME + FRAME_GAP) + FRAME_GAP, STRIP);
    for (int i = 0; i < strip.size(); i++) {
      int x = MARGIN + FRAME_GAP + i * (FRAME + FRAME_GAP);
      drawHoles(graphics, x, y + REBATE / 2);
      drawHoles(graphics, x, y + STRIP - REBATE / 2);
      drawTile(graphics, strip.get(i), x, y + REBATE);
    }
  }

  private static void drawHoles(Graphics2D graphics, int x, int middle) {
    graphics.setColor(HOLE);
    double pitch = (double) (FRAME + FRAME_GAP) / HOLES;
    for (int i = 0; i < HOLES; i++) {
      double left = x + (i + 0.5) * pitch - FRAME_GAP / 2.0 - 5;
      graphics.fill(new RoundRectangle2D.Double(left, middle - 6.5, 10, 13, 5, 5));
    }
  }

  private static void drawTile(Graphics2D graphics, Tile tile, int x, int y) {
    if (tile instanceof Tile.Image image) {
      BufferedImage small = Thumbnail.within(Pixels.view(image.image()), FRAME, FRAME);
      double scale =
          Math.min((double) FRAME / small.getWidth(), (double) FRAME / small.getHeight());
      int width = (int) Math.round(small.getWidth() * scale);
      int height = (int) Math.round(small.getHeight() * scale);
      int left = x + (FRAME - width) / 2;
      int top = y + (FRAME - height) / 2;
      if (image.image().isBlank()) { // nothing to interpolate
        graphics.setColor(new Color(small.getRGB(0, 0)));
        graphics.fillRect(left, top, width, height);
      } else {
        graphics.drawImage(small, left, top, width, height, null);
      }
    } else if (tile instanceof Tile.Empty empty) {
      graphics.setColor(UNEXPOSED);
      graphics.fillRect(x, y, FRAME, FRAME);
      drawMark(graphics, empty.mark(), x + FRAME / 2.0, y + FRAME / 2.0);
    }
  }

  private static void drawMark(Graphics2D graphics, FrameMark mark, double x, double y) {
    double r = FRAME * 0.22;
    graphics.setColor(GREASE_PENCIL);
    graphics.setStroke(new BasicStroke(9, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    switch (mark) {
      case BLOCKED -> {
        graphics.draw(new Ellipse2D.Double(x - r, y - r, 2 * r, 2 * r));
        double d = r * Math.sqrt(0.5);
        graphics.draw(new Line2D.Double(x - d, y - d, x + d, y + d));
      }
      case INVALID -> {
        Path2D triangle = new Path2D.Double();
        triangle.moveTo(x, y - r);
        triangle.lineTo(x + r, y + 0.75 * r);
        triangle.lineTo(x - r, y + 0.75 * r);
        triangle.closePath();
        graphics.draw(triangle);
      }
      case FAILED -> {
        graphics.draw(new Line2D.Double(x - r, y - r, x + r, y + r));
        graphics.draw(new Line2D.Double(x - r, y + r, x + r, y - r));
      }
    }
  }
}
