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
import java.util.stream.IntStream;

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

  /** The longer side of the largest frame; larger images are shrunk. */
  static final int MAX_FRAME = 224;

  /** The longer side of the smallest frame; smaller images are enlarged. */
  static final int MIN_FRAME = 128;

  private static final int MARGIN = 40;
  private static final int FRAME_GAP = 10;
  private static final int REBATE = 26;
  private static final int STRIP_GAP = 22;
  private static final int HOLE_PITCH = 29;
  private static final int MIN_COLUMNS = 4;
  private static final int MAX_COLUMNS = 8;

  private final int frame;

  private ContactSheet(int frame) {
    this.frame = frame;
  }

  /**
   * Draws the tiles row by row. All frames are as large as the largest image, within {@link
   * #MIN_FRAME} and {@link #MAX_FRAME}: small images appear pixel by pixel.
   *
   * @param tiles 1 to {@value #MAX_TILES}
   * @return a sheet of four to eight columns, about square
   */
  public static RgbImage draw(List<Tile> tiles) {
    if (tiles.isEmpty() || tiles.size() > MAX_TILES) {
      throw new IllegalArgumentException(
          "%d tiles for a sheet of 1 to %d".formatted(tiles.size(), MAX_TILES));
    }
    return new ContactSheet(frame(tiles)).drawn(tiles);
  }

  private static int frame(List<Tile> tiles) {
    int largest =
        tiles.stream()
            .mapToInt(
                tile ->
                    tile instanceof Tile.Image image
                        ? Math.max(image.image().width(), image.image().height())
                        : 0)
            .max()
            .orElseThrow();
    return Math.max(MIN_FRAME, Math.min(MAX_FRAME, largest));
  }

  private RgbImage drawn(List<Tile> tiles) {
    int columns = columns(tiles.size());
    int rows = (tiles.size() + columns - 1) / columns;
    BufferedImage sheet =
        new BufferedImage(
            2 * MARGIN + columns * (frame + FRAME_GAP) + FRAME_GAP,
            2 * MARGIN + rows * strip() + (rows - 1) * STRIP_GAP,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D paper = sheet.createGraphics();
    paper.setColor(PAPER);
    paper.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    paper.dispose();
    IntStream.range(0, rows)
        .parallel()
        .forEach(
            row ->
                drawStrip(
                    sheet.getSubimage(
                        0, MARGIN + row * (strip() + STRIP_GAP), sheet.getWidth(), strip()),
                    tiles.subList(row * columns, Math.min(tiles.size(), (row + 1) * columns))));
    return Pixels.copy(sheet);
  }

  /** The height of a strip. */
  private int strip() {
    return frame + 2 * REBATE;
  }

  /** The square root, so that sheets grow in both directions, between four and eight. */
  static int columns(int tiles) {
    return Math.max(MIN_COLUMNS, Math.min(MAX_COLUMNS, (int) Math.ceil(Math.sqrt(tiles))));
  }

  private void drawStrip(BufferedImage film, List<Tile> tiles) {
    Graphics2D graphics = film.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    graphics.setColor(FILM);
    graphics.fillRect(MARGIN, 0, tiles.size() * (frame + FRAME_GAP) + FRAME_GAP, strip());
    for (int i = 0; i < tiles.size(); i++) {
      int x = MARGIN + FRAME_GAP + i * (frame + FRAME_GAP);
      drawHoles(graphics, x, REBATE / 2);
      drawHoles(graphics, x, strip() - REBATE / 2);
      drawTile(graphics, tiles.get(i), x, REBATE);
    }
    graphics.dispose();
  }

  private void drawHoles(Graphics2D graphics, int x, int middle) {
    graphics.setColor(HOLE);
    int holes = (frame + FRAME_GAP) / HOLE_PITCH;
    double pitch = (double) (frame + FRAME_GAP) / holes;
    for (int i = 0; i < holes; i++) {
      double left = x + (i + 0.5) * pitch - FRAME_GAP / 2.0 - 5;
      graphics.fill(new RoundRectangle2D.Double(left, middle - 6.5, 10, 13, 5, 5));
    }
  }

  private void drawTile(Graphics2D graphics, Tile tile, int x, int y) {
    if (tile instanceof Tile.Image image) {
      BufferedImage small = Thumbnail.within(Pixels.view(image.image()), frame, frame);
      double scale =
          Math.min((double) frame / small.getWidth(), (double) frame / small.getHeight());
      int width = (int) Math.round(small.getWidth() * scale);
      int height = (int) Math.round(small.getHeight() * scale);
      int left = x + (frame - width) / 2;
      int top = y + (frame - height) / 2;
      if (image.image().isBlank()) { // nothing to interpolate
        graphics.setColor(new Color(small.getRGB(0, 0)));
        graphics.fillRect(left, top, width, height);
      } else {
        graphics.drawImage(small, left, top, width, height, null);
      }
    } else if (tile instanceof Tile.Empty empty) {
      graphics.setColor(UNEXPOSED);
      graphics.fillRect(x, y, frame, frame);
      drawMark(graphics, empty.mark(), x + frame / 2.0, y + frame / 2.0);
    }
  }

  private void drawMark(Graphics2D graphics, FrameMark mark, double x, double y) {
    double r = frame * 0.22;
    graphics.setColor(GREASE_PENCIL);
    graphics.setStroke(
        new BasicStroke(frame * 0.04f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
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
